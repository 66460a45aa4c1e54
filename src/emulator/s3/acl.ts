import { createHash } from "node:crypto";
import { readText } from "../body.ts";
import { AwsFault } from "../fault.ts";
import type { XmlValue } from "../xml.ts";
import { childOf, childrenOf, readXml, textOf, type XmlElement } from "../xml-reading.ts";
import { type Bucket, type CannedAcl, isCannedAcl } from "./bucket.ts";
import { bucketOf, objectOf, reply, replyXml, type S3Call } from "./s3-call.ts";

/** The canonical user that `aws-exec-read` lets read: EC2's own ("za-team"). */
const ec2CanonicalId = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";
const allUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
const authenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";

/** The canned ACL that a write asks for; refused where the bucket has ACLs switched off, as S3 does. */
export function aclOf(call: S3Call, bucket: Bucket | undefined): CannedAcl {
  const { headers } = call.request;
  const grants = Object.keys(headers).some((name) => name.startsWith("x-amz-grant-"));
  if (grants)
    throw new AwsFault("NotImplemented", "The emulator takes canned ACLs only, no x-amz-grant headers.");
  const acl = headers["x-amz-acl"];
  if (acl === undefined) return "private";
  if (!isCannedAcl(acl))
    throw new AwsFault("InvalidArgument", "", { details: { ArgumentName: "x-amz-acl", ArgumentValue: acl } });
  // This one ACL says what is so anyway, and S3 lets it pass.
  if (bucket?.ownership === "BucketOwnerEnforced" && acl !== "bucket-owner-full-control") throw aclsOff();
  return acl;
}

export async function getObjectAcl(call: S3Call): Promise<void> {
  replyAcl(call, objectOf(call, bucketOf(call)).acl);
}

export async function putObjectAcl(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  const object = objectOf(call, bucket);
  const acl = await newAcl(call, bucket);
  await call.world.s3.putObject(bucket, { ...object, acl });
  reply(call, 200);
}

export async function getBucketAcl(call: S3Call): Promise<void> {
  replyAcl(call, bucketOf(call).acl);
}

export async function putBucketAcl(call: S3Call): Promise<void> {
  const bucket = bucketOf(call);
  await call.world.s3.putBucket({ ...bucket, acl: await newAcl(call, bucket) });
  reply(call, 200);
}

async function newAcl(call: S3Call, bucket: Bucket): Promise<CannedAcl> {
  const body = await readText(call.body.bytes, 64 * 1024);
  if (body.length === 0) return aclOf(call, bucket);
  if (bucket.ownership === "BucketOwnerEnforced") throw aclsOff();
  const policy = readXml(body.toString("utf8"));
  if (policy?.name !== "AccessControlPolicy") throw malformedAcl();
  return toCannedAcl(childrenOf(childOf(policy, "AccessControlList"), "Grant"));
}

/** An ACL given as grants is kept as the canned ACL that it amounts to. */
function toCannedAcl(grants: readonly XmlElement[]): CannedAcl {
  const reads = grants
    .filter((grant) => textOf(grant, "Permission") === "READ")
    .map((grant) => childOf(grant, "Grantee"));
  if (reads.some((grantee) => textOf(grantee, "URI") === allUsers)) return "public-read";
  if (reads.some((grantee) => textOf(grantee, "ID") === ec2CanonicalId)) return "aws-exec-read";
  if (reads.some((grantee) => textOf(grantee, "URI") === authenticatedUsers)) return "authenticated-read";
  return "private";
}

function replyAcl(call: S3Call, acl: CannedAcl): void {
  const owner = ownerOf(call);
  const grants = [toGrant(toUser(owner.ID, owner.DisplayName), "FULL_CONTROL"), ...grantsOf(acl)];
  replyXml(call, "AccessControlPolicy", { Owner: owner, AccessControlList: { Grant: grants } });
}

/** The account's canonical id: as long as AWS's, and always the same for an account. */
export function ownerOf(call: S3Call): { readonly ID: string; readonly DisplayName: string } {
  const { accountId } = call.world.identity;
  return { ID: createHash("sha256").update(accountId).digest("hex"), DisplayName: "imgspec" };
}

function grantsOf(acl: CannedAcl): readonly XmlValue[] {
  if (acl === "aws-exec-read" || acl === "ec2-bundle-read")
    return [toGrant(toUser(ec2CanonicalId, "za-team"), "READ")];
  if (acl === "public-read") return [toGrant(toGroup(allUsers), "READ")];
  if (acl === "public-read-write")
    return [toGrant(toGroup(allUsers), "READ"), toGrant(toGroup(allUsers), "WRITE")];
  if (acl === "authenticated-read") return [toGrant(toGroup(authenticatedUsers), "READ")];
  return [];
}

function toGrant(grantee: XmlValue, permission: string): XmlValue {
  return { Grantee: grantee, Permission: permission };
}

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance";

function toUser(id: string, name: string): XmlValue {
  return { "@xmlns:xsi": schemaInstance, "@xsi:type": "CanonicalUser", ID: id, DisplayName: name };
}

function toGroup(uri: string): XmlValue {
  return { "@xmlns:xsi": schemaInstance, "@xsi:type": "Group", URI: uri };
}

function aclsOff(): AwsFault {
  return new AwsFault("AccessControlListNotSupported", "The bucket does not allow ACLs");
}

function malformedAcl(): AwsFault {
  return new AwsFault(
    "MalformedACLError",
    "The XML you provided was not well-formed or did not validate against our published schema",
  );
}
