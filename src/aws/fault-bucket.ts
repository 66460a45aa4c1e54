import { byHand } from "./by-hand.ts";
import type { Fault, Rule } from "./fault.ts";

/** Buckets that are not there, are elsewhere, or cannot hold a bundle. */
export const bucketRules: readonly Rule[] = [
  {
    // The last two are what HEAD of a bucket gives; that of an object is understood where it is asked.
    codes: ["NoSuchBucket", "NotFound", "Http404"],
    problem: "bucket-unusable",
    message: (fault) => `bucket ${bucketOf(fault)} does not exist`,
    hint: (fault) => `set upload.bucket to another, or make it: \`${createCommand(fault)}\``,
  },
  {
    codes: [
      "PermanentRedirect",
      "TemporaryRedirect",
      "AuthorizationHeaderMalformed",
      "IllegalLocationConstraintException",
      "Http301",
    ],
    problem: "bucket-unusable",
    message: (fault) =>
      `bucket ${bucketOf(fault)} is in ${fault.bucketRegion ?? "another region"}, not in ${fault.account.region}`,
    hint: ({ account: { region } }) =>
      `EC2 reads a bundle from a bucket in its own region: set regions.${region}.upload.bucket to one in ${region}`,
  },
  {
    codes: ["AccessControlListNotSupported"],
    problem: "bucket-unusable",
    message: (fault) =>
      `bucket ${bucketOf(fault)} refuses access control lists, and EC2 reads a bundle by one`,
    hint: (fault) => `allow them: \`${ownershipCommand(fault)}\``,
  },
  {
    codes: ["PreconditionFailed", "ConditionalRequestConflict"],
    problem: "bucket-unusable",
    message: ({ resource }) => `there is an object ${resource ?? ""} already`,
    hint: () => `another build may be writing there: put \${{ build.id }} into upload.prefix`,
  },
  {
    codes: ["NoSuchKey"],
    problem: "aws-fault",
    message: ({ resource }) => `there is no object ${resource ?? ""}`,
    hint: () => undefined,
  },
  {
    codes: ["InvalidBucketName"],
    problem: "bucket-unusable",
    message: (fault) => `"${bucketOf(fault)}" cannot be the name of a bucket`,
    hint: () => "use 3 to 63 lower-case letters, digits, dots and hyphens in upload.bucket",
  },
  {
    codes: ["BucketAlreadyExists"],
    problem: "bucket-unusable",
    message: (fault) => `the name ${bucketOf(fault)} belongs to somebody else's bucket`,
    hint: () => "bucket names are shared by all accounts of a partition: use another",
  },
  {
    codes: ["BucketNotEmpty"],
    problem: "bucket-unusable",
    message: (fault) => `bucket ${bucketOf(fault)} is not empty`,
    hint: () => "what else is in it, old versions of objects too, must go first",
  },
];

function ownershipCommand(fault: Fault): string {
  const rule = "'Rules=[{ObjectOwnership=BucketOwnerPreferred}]'";
  const command = `s3api put-bucket-ownership-controls --bucket ${bucketOf(fault)} --ownership-controls ${rule}`;
  return byHand(command, fault.account);
}

function createCommand(fault: Fault): string {
  // us-east-1 is the one region that S3 does not want to be told (CreateBucket reference).
  const { region } = fault.account;
  const place = region === "us-east-1" ? "" : ` --create-bucket-configuration LocationConstraint=${region}`;
  const command = `s3api create-bucket --bucket ${bucketOf(fault)} --object-ownership BucketOwnerPreferred${place}`;
  return byHand(command, fault.account);
}

function bucketOf({ resource = "" }: Fault): string {
  return resource.replace(/^s3:\/\//, "").replace(/\/.*$/, "");
}
