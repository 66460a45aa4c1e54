import { createHash } from "node:crypto";

/** The default VPC of a region; its ids follow from the region's name. */
export type DefaultVpc = {
  readonly id: string;
  readonly cidr: string;
  readonly defaultGroupId: string;
  readonly subnets: readonly Subnet[];
};

export type Subnet = {
  readonly id: string;
  readonly zone: string;
  readonly zoneId: string;
  readonly cidr: string;
  /** The third number of its addresses: 10.0.N.x. */
  readonly third: number;
};

/** One subnet in each of the zones a, b and c. */
export function defaultVpcOf(region: string): DefaultVpc {
  return {
    id: toId("vpc", region),
    cidr: "10.0.0.0/16",
    defaultGroupId: toId("sg", region),
    subnets: ["a", "b", "c"].map((letter, index) => ({
      id: toId("subnet", region + letter),
      zone: region + letter,
      zoneId: `${toShortName(region)}-az${index + 1}`,
      cidr: `10.0.${index * 16}.0/20`,
      third: index * 16,
    })),
  };
}

function toId(prefix: string, seed: string): string {
  return `${prefix}-0${createHash("sha256").update(`${prefix} ${seed}`).digest("hex").slice(0, 16)}`;
}

/** As zone ids begin: us-east-1 is use1, ap-southeast-2 apse2, us-gov-west-1 usgw1. */
function toShortName(region: string): string {
  const [country = "", ...rest] = region.split("-");
  const number = rest.at(-1) ?? "";
  const words = rest.slice(0, -1).map((word) => word.replace(/^(north|south)(east|west)$/, "$1-$2"));
  return (
    country +
    words
      .map((word) =>
        word
          .split("-")
          .map((part) => part[0])
          .join(""),
      )
      .join("") +
    number
  );
}
