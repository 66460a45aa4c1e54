import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import { s3Fault, startScriptedAws } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const where = { bucket: "acme", key: "web/image.part.00" };
const sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d";

test("an object goes up with the digest that the manifest has, so that S3 checks and keeps that very digest", async () => {
  await using aws = await startScriptedAws(() => ({}));
  const body = {
    bytes: Buffer.from("abc"),
    sha1,
    contentType: "application/octet-stream",
    acl: "aws-exec-read",
  };
  await aws.account().putObject(where, body, signal);
  const { action, headers = {} } = aws.asked[0] ?? {};
  expect([action, headers["x-amz-checksum-sha1"], headers["x-amz-acl"], headers["content-type"]]).toEqual([
    "PUT /acme/web/image.part.00",
    Buffer.from(sha1, "hex").toString("base64"),
    "aws-exec-read",
    "application/octet-stream",
  ]);
});

test("the digest of a whole object is told, that of its parts is not", async () => {
  const digest = Buffer.from(sha1, "hex").toString("base64");
  await using aws = await startScriptedAws((_asked, index) => ({
    headers: { "content-length": "3", "x-amz-checksum-sha1": index === 0 ? digest : `${digest}-2` },
  }));
  const s3 = aws.account();
  expect(await s3.headObject(where, signal)).toEqual({ sizeBytes: 3, sha1 });
  expect(await s3.headObject(where, signal)).toEqual({ sizeBytes: 3, sha1: null });
});

test("a denied HEAD names both permissions, as S3 also denies what is not there", async () => {
  await using aws = await startScriptedAws(() => ({ status: 403 }));
  await expect(aws.account().headObject(where, signal)).rejects.toMatchObject({
    code: "permission-denied",
    message: "the caller may not s3:GetObject or s3:ListBucket on s3://acme/web/image.part.00",
  });
});

test("an object that is not there is named", async () => {
  await using aws = await startScriptedAws(() =>
    s3Fault("NoSuchKey", "The specified key does not exist.", 404),
  );
  await expect(aws.account().getObject(where, signal)).rejects.toThrow(
    "there is no object s3://acme/web/image.part.00",
  );
});

test("a line that breaks within an object is a problem of the network, not a short object", async () => {
  await using aws = await startScriptedAws(() => ({
    headers: { "content-length": "10" },
    body: "abc",
    ending: "cut",
  }));
  const stream = await aws.account().getObject(where, signal);
  await expect(buffer(stream)).rejects.toMatchObject({ code: "network-failed" });
});

test("a stop ends a download that has stalled, with the reason of the stop", async () => {
  const stop = new AbortController();
  const reason = new Problem("interrupted", "SIGINT");
  await using aws = await startScriptedAws(() => ({
    headers: { "content-length": "10" },
    body: "abc",
    ending: "silence",
  }));
  const stream = await aws.account().getObject(where, stop.signal);
  stream.once("data", () => stop.abort(reason));
  await expect(buffer(stream)).rejects.toBe(reason);
});
