import { once } from "node:events";
import { request } from "node:http";
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  GetBucketOwnershipControlsCommand,
  GetObjectAclCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutBucketOwnershipControlsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
} from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { startEmulator } from "../../src/emulator/start.ts";
import { codeOf, errorOf, newRig } from "./rig.ts";
import { send, toSigned } from "./sign.ts";

const Bucket = "acme-images";

test("S3-1 a bucket is in its region, and elsewhere S3 says where it is", async () => {
  await using rig = await newRig();
  await rig.s3("eu-west-1").send(new CreateBucketCommand({ Bucket }));
  const head = await rig.s3("eu-west-1").send(new HeadBucketCommand({ Bucket }));
  expect(head.BucketRegion).toBe("eu-west-1");
  const location = await rig.s3("us-east-1").send(new GetBucketLocationCommand({ Bucket }));
  expect(location.LocationConstraint).toBe("eu-west-1");
  const listing = await errorOf(rig.s3("us-east-1").send(new ListObjectsV2Command({ Bucket })));
  expect([listing.name, listing.$metadata?.httpStatusCode]).toEqual(["PermanentRedirect", 301]);
  const elsewhere = await fetch(
    toSigned(rig.emulator, { service: "s3", method: "HEAD", path: `/${Bucket}` }).url,
    {
      ...toSigned(rig.emulator, { service: "s3", method: "HEAD", path: `/${Bucket}` }).init,
      redirect: "manual",
    },
  );
  expect([elsewhere.status, elsewhere.headers.get("x-amz-bucket-region")]).toEqual([301, "eu-west-1"]);
});

test("S3-2 a name is taken in its partition and free in the others", async () => {
  await using rig = await newRig();
  await rig.s3("us-east-1").send(new CreateBucketCommand({ Bucket }));
  expect(await codeOf(rig.s3("us-west-2").send(new CreateBucketCommand({ Bucket })))).toBe(
    "BucketAlreadyOwnedByYou",
  );
  await rig.s3("cn-north-1").send(new CreateBucketCommand({ Bucket }));
  await rig.s3("us-gov-west-1").send(new CreateBucketCommand({ Bucket }));
  expect((await rig.s3("cn-north-1").send(new HeadBucketCommand({ Bucket }))).BucketRegion).toBe(
    "cn-north-1",
  );
  for (const name of ["UpperCase", "ab", "a..b", "10.0.0.1", "-dash"]) {
    const path = `/${name}`;
    const answer = await send(toSigned(rig.emulator, { service: "s3", method: "PUT", path }));
    expect([name, answer.code]).toEqual([name, "InvalidBucketName"]);
  }
});

test("S3-3 a location constraint is that of the region spoken to", async () => {
  await using rig = await newRig();
  const create = (region: string, constraint: string): ReturnType<typeof send> => {
    const location = constraint && `<LocationConstraint>${constraint}</LocationConstraint>`;
    const body = `<CreateBucketConfiguration>${location}</CreateBucketConfiguration>`;
    return send(toSigned(rig.emulator, { service: "s3", method: "PUT", path: `/${Bucket}`, region, body }));
  };
  expect((await create("eu-west-1", "")).code).toBe("IllegalLocationConstraintException");
  expect((await create("eu-west-1", "us-west-2")).code).toBe("IllegalLocationConstraintException");
  expect((await create("us-east-1", "us-east-1")).code).toBe("InvalidLocationConstraint");
  expect((await create("eu-west-1", "EU")).status).toBe(200);
});

test("S3-4 a new bucket takes no ACL until its ownership controls allow it", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  const put = (Key: string): Promise<unknown> =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: "x", ACL: "aws-exec-read" }));
  await s3.send(new CreateBucketCommand({ Bucket }));
  const { OwnershipControls } = await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }));
  expect(OwnershipControls?.Rules).toEqual([{ ObjectOwnership: "BucketOwnerEnforced" }]);
  const refused = await errorOf(put("a"));
  expect([refused.name, refused.$metadata?.httpStatusCode]).toEqual(["AccessControlListNotSupported", 400]);
  const Rules = [{ ObjectOwnership: "BucketOwnerPreferred" as const }];
  await s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: { Rules } }));
  await put("b");
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents?.map(({ Key }) => Key)).toEqual(["b"]);
});

test("S3-5 aws-exec-read is the owner's full control and EC2's READ", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: "ObjectWriter" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "part", Body: "x", ACL: "aws-exec-read" }));
  const grants = async (): Promise<unknown> => {
    const { Grants, Owner } = await s3.send(new GetObjectAclCommand({ Bucket, Key: "part" }));
    return Grants?.map(({ Grantee, Permission }) => [
      Grantee?.ID === Owner?.ID ? "owner" : Grantee?.ID,
      Permission,
    ]);
  };
  const ec2 = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";
  expect(await grants()).toEqual([
    ["owner", "FULL_CONTROL"],
    [ec2, "READ"],
  ]);
  await s3.send(new PutObjectAclCommand({ Bucket, Key: "part", ACL: "private" }));
  expect(await grants()).toEqual([["owner", "FULL_CONTROL"]]);
});

test("S3-15 what is not there can be deleted, and a bucket only when it is empty", async () => {
  await using rig = await newRig();
  const s3 = rig.s3();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "nothing" }));
  await s3.send(new PutObjectCommand({ Bucket, Key: "some", Body: "thing" }));
  expect(await codeOf(s3.send(new DeleteBucketCommand({ Bucket })))).toBe("BucketNotEmpty");
  await s3.send(new DeleteObjectCommand({ Bucket, Key: "some" }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
  expect(await codeOf(s3.send(new ListObjectsV2Command({ Bucket })))).toBe("NoSuchBucket");
});

test("S3-16 objects, keys and account are there after a restart", async () => {
  await using rig = await newRig();
  await rig.s3().send(new CreateBucketCommand({ Bucket }));
  await rig.s3().send(new PutObjectCommand({ Bucket, Key: "kept", Body: "bytes" }));
  await rig.emulator[Symbol.asyncDispose]();
  await using again = await startEmulator({ directory: rig.directory, instances: rig.host });
  expect(again.accountId).toBe(rig.emulator.accountId);
  expect(again.cloud.ec2Certificates).toEqual(rig.emulator.cloud.ec2Certificates);
  const found = await send(toSigned(again, { service: "s3", method: "GET", path: `/${Bucket}/kept` }));
  expect(found).toMatchObject({ status: 200, text: "bytes" });
});

test("S3-17 a bucket may be named by the host", async () => {
  await using rig = await newRig();
  await rig.s3().send(new CreateBucketCommand({ Bucket }));
  await rig.s3().send(new PutObjectCommand({ Bucket, Key: "a/b", Body: "bytes" }));
  const host = `${Bucket}.localhost`;
  const signed = toSigned(rig.emulator, { service: "s3", method: "GET", path: "/a/b", host });
  const headers = { ...signed.init.headers, host };
  const [response] = await once(request(signed.url, { headers }).end(), "response");
  expect([response.statusCode, (await response.toArray()).join("")]).toEqual([200, "bytes"]);
});
