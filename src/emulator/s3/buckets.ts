import { readText } from "../body.ts";
import { AwsFault } from "../fault.ts";
import { childOf, readXml, textOf } from "../xml-reading.ts";
import { aclOf, ownerOf } from "./acl.ts";
import { isBucketName, type Ownership } from "./bucket.ts";
import { bucketOf, regionOfCall, reply, replyXml, type S3Call } from "./s3-call.ts";

const maxConfigurationBytes = 64 * 1024;

/** Bucket names are unique in a partition, over all accounts; here there is one account. */
export async function createBucket(call: S3Call): Promise<void> {
  const name = call.bucketName;
  if (!isBucketName(name)) {
    throw new AwsFault("InvalidBucketName", "The specified bucket is not valid.", {
      details: { BucketName: name },
    });
  }
  const region = regionOfCall(call);
  checkLocation(await readLocation(call), region.name);
  if (call.world.s3.bucket(region.partition, name)) {
    throw new AwsFault(
      "BucketAlreadyOwnedByYou",
      "Your previous request to create the named bucket succeeded and you already own it.",
      { details: { BucketName: name } },
    );
  }
  const asked = call.request.headers["x-amz-object-ownership"];
  // Since April 2023 a new bucket has its ACLs switched off unless it asks for them.
  const ownership = asked === undefined ? "BucketOwnerEnforced" : toOwnership(asked);
  const acl = aclOf(call, undefined);
  if (ownership === "BucketOwnerEnforced" && acl !== "private") {
    throw new AwsFault(
      "InvalidBucketAclWithObjectOwnership",
      "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    );
  }
  await call.world.s3.putBucket({
    name,
    partition: region.partition,
    region: region.name,
    ownership,
    acl,
    createdAt: new Date().toISOString(),
  });
  reply(call, 200, { location: `/${name}` });
}

async function readLocation(call: S3Call): Promise<string> {
  const text = (await readText(call.body.bytes, maxConfigurationBytes)).toString("utf8");
  if (text === "") return "";
  const configuration = readXml(text);
  if (!configuration) throw malformedXml();
  return textOf(configuration, "LocationConstraint") ?? "";
}

function checkLocation(constraint: string, region: string): void {
  const located = constraint === "EU" ? "eu-west-1" : constraint;
  if (region === "us-east-1" && (located === "" || located === "us-east-1")) {
    // The name of the region itself is the one constraint that us-east-1 does not take.
    if (located !== "")
      throw new AwsFault("InvalidLocationConstraint", "The specified location-constraint is not valid");
    return;
  }
  if (located === region) return;
  throw new AwsFault(
    "IllegalLocationConstraintException",
    `The ${located || "unspecified"} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  );
}

export async function headBucket(call: S3Call): Promise<void> {
  const { region } = bucketOf(call);
  reply(call, 200, { "x-amz-bucket-region": region, "x-amz-access-point-alias": "false" });
}

export async function getBucketLocation(call: S3Call): Promise<void> {
  const { region } = bucketOf(call);
  replyXml(call, "LocationConstraint", region === "us-east-1" ? {} : { "#": region });
}

export async function deleteBucket(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  if (call.world.s3.objects(bucket).length > 0) {
    throw new AwsFault("BucketNotEmpty", "The bucket you tried to delete is not empty", {
      details: { BucketName: bucket.name },
    });
  }
  await call.world.s3.deleteBucket(bucket);
  reply(call, 204);
}

export async function listBuckets(call: S3Call): Promise<void> {
  const buckets = call.world.s3.buckets(regionOfCall(call).partition);
  const Bucket = buckets.map(({ name, createdAt, region }) => ({
    Name: name,
    CreationDate: createdAt,
    BucketRegion: region,
  }));
  replyXml(call, "ListAllMyBucketsResult", { Owner: ownerOf(call), Buckets: { Bucket } });
}

export async function getOwnership(call: S3Call): Promise<void> {
  const { ownership } = bucketOf(call);
  if (!ownership)
    throw new AwsFault("OwnershipControlsNotFoundError", "The bucket ownership controls were not found");
  replyXml(call, "OwnershipControls", { Rule: { ObjectOwnership: ownership } });
}

export async function putOwnership(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const controls = readXml((await readText(call.body.bytes, maxConfigurationBytes)).toString("utf8"));
  const ownership = toOwnership(textOf(childOf(controls, "Rule"), "ObjectOwnership") ?? "");
  await call.world.s3.putBucket({ ...bucket, ownership });
  reply(call, 200);
}

export async function deleteOwnership(call: S3Call): Promise<void> {
  await call.world.s3.putBucket({ ...bucketOf(call), ownership: null });
  reply(call, 204);
}

function toOwnership(text: string): Ownership {
  if (text === "BucketOwnerEnforced" || text === "BucketOwnerPreferred" || text === "ObjectWriter")
    return text;
  throw malformedXml();
}

function malformedXml(): AwsFault {
  return new AwsFault(
    "MalformedXML",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}
