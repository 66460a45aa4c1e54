import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { bucketSink } from "../../src/store/bucket-sink.ts";
import { golden } from "../bundle/golden.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { acl, concurrency, hasty, newBucketName, region, signal } from "./rig.ts";

const xml = golden("ruby153/small/small.img.manifest.xml");
const manifest = readManifest(xml);

test("a bundle of which a part was refused is taken back as a whole", async () => {
  await using cloud = await startEmulatedCloud();
  const provider = hasty(cloud).account({ region });
  const place = { bucket: newBucketName(), prefix: "web" };
  await createBucket(cloud, place.bucket, region);
  cloud.emulator.fail("PutObject", "slow:0");
  cloud.emulator.fail("PutObject", "AccessDenied");
  const name = manifest.image.name;
  {
    await using sink = await bucketSink({ provider, place, name, acl, concurrency, signal });
    for (const index of [0, 1, 2]) await sink.writePart(partOf(index));
    await expect(sink.finish(manifest, xml)).rejects.toMatchObject({ code: "permission-denied" });
  }
  expect(cloud.emulator.left().objects).toEqual([]);
});

test("what an older bundle of the name left behind goes before the new manifest comes", async () => {
  await using cloud = await startEmulatedCloud();
  const provider = hasty(cloud).account({ region });
  const place = { bucket: newBucketName(), prefix: "" };
  await createBucket(cloud, place.bucket, region);
  const { bytes, sha1 } = partOf(7);
  const body = { bytes, sha1, contentType: "application/octet-stream", acl };
  for (const key of ["small.img.part.7", "small.img.txt"]) {
    await provider.putObject({ bucket: place.bucket, key }, body, signal);
  }
  const name = manifest.image.name;
  {
    await using sink = await bucketSink({ provider, place, name, acl, concurrency, signal });
    await sink.writePart(partOf(0));
    await sink.finish(manifest, xml);
  }
  expect(cloud.emulator.left().objects).toEqual(
    ["small.img.manifest.xml", "small.img.part.0000", "small.img.txt"].map((key) => `${place.bucket}/${key}`),
  );
});

function partOf(index: number): { index: number; bytes: Uint8Array; sha1: string } {
  const bytes = Buffer.from(`part ${index}`);
  return { index, bytes, sha1: createHash("sha1").update(bytes).digest("hex") };
}
