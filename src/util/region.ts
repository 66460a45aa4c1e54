/** An AWS partition: accounts, ARNs and DNS of their own. Not a disk partition. */
export type Partition = "aws" | "aws-cn" | "aws-us-gov";

/** Which of EC2's three public keys opens bundles: commercial, cn-north-1 (China) or gov (GovCloud). */
export type CertificateVariant = "commercial" | "cn-north-1" | "gov";

export type Region = {
  readonly name: string;
  readonly partition: Partition;
  /** Such as amazonaws.com.cn. */
  readonly dnsSuffix: string;
  /** Null where EC2 has published no key: then the spec must name a certificate. */
  readonly certificate: CertificateVariant | null;
};

/**
 * Regions that had EC2 when this was written (2026-11). A region that is not here may still exist: data ages,
 * DescribeRegions decides.
 */
export const knownRegions: readonly string[] = [
  "af-south-1",
  "ap-east-1",
  "ap-east-2",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-7",
  "ca-central-1",
  "ca-west-1",
  "cn-north-1",
  "cn-northwest-1",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
  "sa-east-1",
  "us-east-1",
  "us-east-2",
  "us-gov-east-1",
  "us-gov-west-1",
  "us-west-1",
  "us-west-2",
];

/** Facts of a region that follow from its name, for regions that are newer than this program too. */
export function regionOf(name: string): Region {
  if (name.startsWith("cn-")) {
    return {
      name,
      partition: "aws-cn",
      dnsSuffix: "amazonaws.com.cn",
      certificate: name === "cn-north-1" ? "cn-north-1" : null,
    };
  }
  if (name.startsWith("us-gov-")) {
    return {
      name,
      partition: "aws-us-gov",
      dnsSuffix: "amazonaws.com",
      certificate: name === "us-gov-west-1" ? "gov" : null,
    };
  }
  return { name, partition: "aws", dnsSuffix: "amazonaws.com", certificate: "commercial" };
}
