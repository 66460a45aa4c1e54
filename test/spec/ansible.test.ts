import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSpec } from "../../src/spec/read-spec.ts";
import { build } from "./reading.ts";

test("a playbook has absolute paths, and only the names of what must not be seen", async () => {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-spec-"));
  try {
    const spec = `imgspec: 1
name: web
variables:
  token: { sensitive: true, default: hush }
  count: { type: number, default: 3 }
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: [m3.medium] }
connect: { user: ec2-user }
provision:
  - ansible: site.yml
  - ansible:
      playbook: site.yml
      command: ./site.yml
      workdir: .
      extraVarsFiles: [site.yml]
      extraVars:
        region: \${{ region.name }}
        deep: { list: [1, null, "\${{ vars.token }}", "\${{ vars.count }}"] }
        auth: token \${{ vars.token }}
  - breakpoint: {}
upload: { bucket: acme-images }
regions: { us-east-1: {} }
`;
    await writeFile(join(folder, "image.yaml"), spec);
    await writeFile(join(folder, "site.yml"), "[]\n");
    const read = await readSpec(join(folder, "image.yaml"), { variables: {}, environment: {}, build });
    const [plain, full, breakpoint] = read.spec.images[0]?.provision ?? [];
    const playbook = join(folder, "site.yml");
    expect(plain).toEqual({
      ...{ kind: "ansible", title: "site.yml", label: "provision[0]", timeoutSeconds: 3600, retries: 0 },
      ...{ playbook, command: "ansible-playbook", workdir: folder, host: "default", groups: [], env: {} },
      ...{
        extraVars: {},
        extraVarsFiles: [],
        sudo: false,
        tags: [],
        skipTags: [],
        verbose: 0,
        extraArguments: [],
      },
    });
    const name = (rest: string): string => `us-east-1/provision[1].ansible.extraVars.${rest}`;
    expect(full).toMatchObject({
      command: playbook,
      extraVarsFiles: [playbook],
      extraVars: {
        region: "us-east-1",
        deep: { list: [1, null, { $secret: name("deep.list[2]") }, 3] },
        auth: { $secret: name("auth") },
      },
    });
    expect([...read.spec.secrets].slice(1)).toEqual([
      [name("deep.list[2]"), "hush"],
      [name("auth"), "token hush"],
    ]);
    expect(breakpoint).toEqual({
      ...{
        kind: "breakpoint",
        title: "",
        label: "provision[2]",
        timeoutSeconds: 28_800,
        retries: 0,
        note: null,
      },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
