import { expect, test } from "vitest";
import { type Answer, actions, s3Fault, startScriptedAws, turns } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const here = { "x-amz-bucket-region": "us-east-1" };
const elsewhere = { "x-amz-bucket-region": "eu-west-1" };
const denied = s3Fault("AccessDenied", "Access Denied", 403);
const ownership = "GET /acme/";

test.each([301, 400, 403])(
  "a bucket elsewhere is found to be so, though HEAD answers only %i",
  async (status) => {
    await using aws = await startScriptedAws(() => ({ status, headers: elsewhere }));
    expect(await aws.account().bucket("acme", signal)).toEqual({
      name: "acme",
      region: "eu-west-1",
      ownership: null,
    });
  },
);

test.each([
  { rule: "BucketOwnerEnforced", title: "refuses ACLs" },
  { rule: "BucketOwnerPreferred", title: "takes ACLs" },
])("a bucket that $title says so", async ({ rule }) => {
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ headers: here }], [ownership]: [ruled(rule)] }),
  );
  expect(await aws.account().bucket("acme", signal)).toMatchObject({ region: "us-east-1", ownership: rule });
});

test("a bucket without ownership controls is as old buckets are", async () => {
  const none = s3Fault("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", 404);
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ headers: here }], [ownership]: [none] }),
  );
  expect(await aws.account().bucket("acme", signal)).toMatchObject({ ownership: "ObjectWriter" });
});

test("a caller that may not ask for ownership controls does not know them", async () => {
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ headers: here }], [ownership]: [denied] }),
  );
  expect(await aws.account().bucket("acme", signal)).toMatchObject({ ownership: null });
});

test("a bucket that may not be listed is usable as long as its region is known", async () => {
  const location: Answer = { body: "<LocationConstraint>us-east-1</LocationConstraint>" };
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ status: 403 }], [ownership]: [location, denied] }),
  );
  expect(await aws.account().bucket("acme", signal)).toMatchObject({ region: "us-east-1" });
});

test("a bare 403 is asked again by a request that has an answer, and denied by name", async () => {
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ status: 403 }], [ownership]: [denied] }),
  );
  await expect(aws.account().bucket("acme", signal)).rejects.toMatchObject({
    code: "permission-denied",
    message: "the caller may not s3:ListBucket on s3://acme",
  });
});

test("a bare 400 of an expired token is told as that", async () => {
  const expired = s3Fault("ExpiredToken", "The provided token has expired.", 400);
  await using aws = await startScriptedAws(
    turns({ "HEAD /acme/": [{ status: 400 }], [ownership]: [expired] }),
  );
  await expect(aws.account().bucket("acme", signal)).rejects.toMatchObject({ code: "credentials-missing" });
});

test("the command that makes a missing bucket names region and profile", async () => {
  await using aws = await startScriptedAws(() => ({ status: 404 }));
  const china = aws.account({ region: "cn-north-1", profile: "china" });
  await expect(china.bucket("acme", signal)).rejects.toMatchObject({
    message: "bucket acme does not exist",
    hint: expect.stringContaining(
      "aws s3api create-bucket --bucket acme --object-ownership BucketOwnerPreferred --create-bucket-configuration LocationConstraint=cn-north-1 --region cn-north-1 --profile china",
    ),
  });
});

const probe = "PUT /acme/probe";

test("a caller who may put objects but not set their ACL is told that one permission", async () => {
  await using aws = await startScriptedAws(turns({ [probe]: [denied, {}], "DELETE /acme/probe": [{}] }));
  await expect(
    aws.account().probePut({ bucket: "acme", key: "probe" }, "aws-exec-read", signal),
  ).rejects.toMatchObject({ message: "the caller may not s3:PutObjectAcl on s3://acme/probe" });
  expect(actions(aws.asked)).toEqual([probe, probe, "DELETE /acme/probe"]);
});

test("a caller who may not put objects at all is told that", async () => {
  await using aws = await startScriptedAws(() => denied);
  await expect(
    aws.account().probePut({ bucket: "acme", key: "probe" }, "aws-exec-read", signal),
  ).rejects.toMatchObject({ message: "the caller may not s3:PutObject on s3://acme/probe" });
});

test("a probe that may not be deleted stays, and is told of", async () => {
  await using aws = await startScriptedAws(turns({ [probe]: [{}], "DELETE /acme/probe": [denied] }));
  expect(await aws.account().probePut({ bucket: "acme", key: "probe" }, "aws-exec-read", signal)).toEqual({
    removed: false,
  });
});

function ruled(rule: string): Answer {
  const controls = `<Rule><ObjectOwnership>${rule}</ObjectOwnership></Rule>`;
  return { body: `<OwnershipControls>${controls}</OwnershipControls>` };
}
