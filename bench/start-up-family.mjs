import { writeFileSync } from "node:fs";
import { join } from "node:path";

const world =
  `af-south-1 us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 mx-central-1 eu-west-1 eu-west-2 eu-west-3
  eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 ap-east-1 ap-south-1 ap-south-2 ap-northeast-1 ap-northeast-2
  ap-northeast-3 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 sa-east-1`.split(/\s+/);
const gov = ["us-gov-west-1"];
const china = ["cn-north-1", "cn-northwest-1"];

/**
 * A family of specs of 2,000 lines over 30 regions of three partitions: files that extend each other, presets, and a matrix
 * of two roles. Gives the path of the spec and how many lines the files have.
 */
export function writeFamily(folder) {
  const files = { "base.yaml": toBase(), "roles.yaml": toRoles(), "fleet.yaml": toFleet() };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const lines = Object.values(files).join("").split("\n").length - 1;
  return { path: join(folder, "fleet.yaml"), lines, regions: world.length + gov.length + china.length };
}

function toBase() {
  return `imgspec: 1
name: fleet
variables:
${numbers(60)
  .map((n) => `  setting${n}:\n    default: value-${n}\n    description: Setting ${n} of the fleet.`)
  .join("\n")}
source:
  find:
    name: amzn-ami-hvm-*-x86_64-s3
    owner: amazon
    newest: true
launch:
  instanceTypes: [m3.medium, m3.large]
connect:
  user: ec2-user
bundle:
  exclude:
${numbers(150)
  .map((n) => `    - /var/cache/service-${n}/**`)
  .join("\n")}
upload:
  bucket: acme-images-\${{ region.name }}
register:
  name: fleet-\${{ matrix.role }}-\${{ vars.setting1 }}-\${{ build.date }}
  tags:
${numbers(40)
  .map((n) => `    setting-${n}: \${{ vars.setting${n} }}`)
  .join("\n")}
`;
}

function toRoles() {
  return `extends: base.yaml
matrix:
  role: [web, worker]
provision:
${numbers(80).map(toStep).join("\n")}
`;
}

function toStep(n) {
  return `  - shell:
      inline: |
        systemctl enable service-${n}
        systemctl start service-${n}
      env:
        ROLE: \${{ matrix.role }}
        SETTING: \${{ vars.setting${(n % 60) + 1} }}
      sudo: true`;
}

function toFleet() {
  return `imgspec: 1
name: fleet
extends: roles.yaml
presets:
  gov:
    profile: gov
    upload: { bucket: acme-gov-images }
  china:
    profile: china
    certificate: { ec2: cn-north-1 }
    source: { image: ami-0123456789abcdef0 }
regions:
${world.map((region) => toRegion(region, "")).join("\n")}
${gov.map((region) => toRegion(region, "    preset: gov\n")).join("\n")}
${china.map((region) => toRegion(region, "    preset: china\n")).join("\n")}
`;
}

function toRegion(region, preset) {
  return `  ${region}:
${preset}    register:
      description: The fleet in ${region}
      tags:
${numbers(20)
  .map((n) => `        site-${n}: ${region}-${n}`)
  .join("\n")}
    bundle:
      exclude:
        append:
${numbers(5)
  .map((n) => `          - /srv/${region}/${n}`)
  .join("\n")}`;
}

function numbers(count) {
  return Array.from({ length: count }, (_, index) => index + 1);
}
