import { isIP } from "node:net";
import type { Path } from "../../document/node.ts";
import { nearest } from "../../util/nearest.ts";
import type { Finding } from "../finding.ts";
import type { WrittenImage } from "../image.gen.ts";
import type { Rule } from "./rule.ts";

/**
 * The types that can have an instance store root volume. All are of earlier generations, to which EC2 adds no more.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/RootDeviceStorage.html
 */
const families: Readonly<Record<string, readonly string[]>> = {
  c1: ["medium", "xlarge"],
  c3: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"],
  d2: ["xlarge", "2xlarge", "4xlarge", "8xlarge"],
  i2: ["xlarge", "2xlarge", "4xlarge", "8xlarge"],
  m1: ["small", "medium", "large", "xlarge"],
  m2: ["xlarge", "2xlarge", "4xlarge"],
  m3: ["medium", "large", "xlarge", "2xlarge"],
  r3: ["large", "xlarge", "2xlarge", "4xlarge", "8xlarge"],
  x1: ["16xlarge", "32xlarge"],
};

const types = Object.entries(families).flatMap(([family, sizes]) => sizes.map((size) => `${family}.${size}`));
const listed = "C1, C3, D2, I2, M1, M2, M3, R3 and X1";

/** Every instance type must be able to start from an instance store-backed AMI. */
export const instanceTypesCanStoreRoot: readonly Rule[] = [
  toRule(["launch", "instanceTypes"], ({ launch }) => launch.instanceTypes),
  toRule(["verify", "launch", "instanceTypes"], ({ verify }) => verify.launch.instanceTypes),
];

/** Address ranges that EC2 takes, and a use for them. */
export const rangesAreCidr: Rule = {
  needs: [
    ["launch", "allowFrom"],
    ["launch", "securityGroups"],
  ],
  *find({ launch: { allowFrom, securityGroups } }) {
    for (const [index, range] of allowFrom.entries()) {
      if (allowFrom.indexOf(range) < index) {
        const at = ["launch", "allowFrom", index];
        yield { code: "range-wrong", at, message: `"${range}" is there twice`, hint: "keep one of them" };
      }
      if (isCidr(range)) continue;
      const message = `"${range}" is not an address range`;
      const hint =
        "write an address and the length of its prefix: 203.0.113.0/24, 198.51.100.7/32, 2001:db8::/48";
      yield { code: "range-wrong", at: ["launch", "allowFrom", index], message, hint };
    }
    if (allowFrom.length === 0 || securityGroups.length === 0) return;
    const message =
      "launch.allowFrom is for the temporary security group, and launch.securityGroups names others";
    yield {
      code: "range-unused",
      at: ["launch", "allowFrom"],
      on: "key",
      message,
      hint: "leave one of them out",
    };
  },
};

function isCidr(range: string): boolean {
  const [address = "", length = "", ...more] = range.split("/");
  const family = isIP(address);
  return (
    more.length === 0 &&
    family !== 0 &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}

function toRule(at: Path, typesOf: (image: WrittenImage) => readonly string[]): Rule {
  return {
    needs: [at],
    *find(image) {
      for (const [index, type] of typesOf(image).entries()) {
        const said = whatIsWrong(type);
        if (said) yield { at: [...at, index], ...said };
      }
    },
  };
}

function whatIsWrong(type: string): Omit<Finding, "at"> | undefined {
  if (types.includes(type)) return undefined;
  const [, family] = /^([a-z][a-z0-9-]*)\.[a-z0-9-]+$/.exec(type) ?? [];
  if (family === "g2") {
    const message = `${type}: older guides say that G2 can have an instance store root, newer ones do not name it`;
    return { code: "instance-type-doubtful", message, hint: `sure are ${listed}` };
  }
  const sizes = family === undefined ? undefined : families[family];
  if (family !== undefined && !sizes) {
    const message = `${type} cannot have an instance store root volume`;
    return { code: "instance-type-unsupported", message, hint: `use one of the families ${listed}` };
  }
  const meant = nearest(type, types);
  const hint = sizes
    ? `the sizes of ${family} are ${sizes.join(", ")}`
    : "an instance type is written like m3.medium";
  return {
    code: "instance-type-wrong",
    message: `"${type}" is not an instance type`,
    hint: meant && !sizes ? `did you mean "${meant}"?` : hint,
  };
}
