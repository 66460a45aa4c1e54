import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { newRig } from "../emulator/rig.ts";

test("x", async () => {
  await using rig = await newRig();
  const provider = toCloud(rig.emulator.cloud).account({ region: "us-east-1" });
  const signal = AbortSignal.timeout(10_000);
  await provider.createBucket("acme-images", signal);
  const bytes = Buffer.from("hello");
  const sha1 = createHash("sha1").update(bytes).digest("hex");
  const where = { bucket: "acme-images", key: "web/1/image.part.0000" };
  const put = await provider.presignPut(
    where,
    { sizeBytes: 5, sha1, contentType: "application/octet-stream", acl: "aws-exec-read" },
    60,
    signal,
  );
  console.log(put);
  const answer = await fetch(put.url, { method: "PUT", body: bytes, headers: put.headers });
  console.log(answer.status, await answer.text());
  console.log(await provider.headObject(where, signal));
  expect(answer.status).toBe(200);
});
