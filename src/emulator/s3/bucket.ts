import type { Partition } from "../../util/region.ts";

export type Ownership = "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter";

export type Bucket = {
  readonly name: string;
  readonly partition: Partition;
  readonly region: string;
  /** Null: no ownership controls, which S3 takes as ObjectWriter. */
  readonly ownership: Ownership | null;
  readonly acl: CannedAcl;
  readonly createdAt: string;
};

const cannedAcls = [
  "private",
  "public-read",
  "public-read-write",
  "authenticated-read",
  "aws-exec-read",
  "bucket-owner-read",
  "bucket-owner-full-control",
  // Not in S3's reference; what BundleInstance's upload policies name (bundle-format notes, 8.4).
  "ec2-bundle-read",
] as const;

export type CannedAcl = (typeof cannedAcls)[number];

export function isCannedAcl(text: string): text is CannedAcl {
  return cannedAcls.some((acl) => acl === text);
}

/** Whether EC2 itself may read an object with this ACL. */
export function isReadableByEc2(acl: CannedAcl): boolean {
  return ["aws-exec-read", "ec2-bundle-read", "public-read", "public-read-write"].includes(acl);
}

/** Names that S3 takes for new buckets (S3 user guide, "Bucket naming rules"). */
export function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !/\.\.|\.-|-\./.test(name) &&
    !/^\d+\.\d+\.\d+\.\d+$/.test(name) &&
    !/^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3)$/.test(name)
  );
}
