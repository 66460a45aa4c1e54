import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Provider } from "../../src/aws/provider.ts";
import { deleteBundle, findByManifest, findByName } from "../../src/store/delete-bundle.ts";
import { inParallel } from "../../src/store/in-parallel.ts";
import { clouds, createBucket, startEmulatedCloud, type TestCloud } from "../help/clouds.ts";
import { hasty, newBucketName, newFiles, region, signal } from "./rig.ts";

const nothing = {
  bytes: new Uint8Array(0),
  sha1: "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  contentType: "application/octet-stream",
  acl: "private",
};

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(`with ${name}`, () => {
    let cloud: TestCloud;
    let provider: Provider;
    let bucket: string;

    beforeAll(async () => {
      cloud = await start();
      provider = hasty(cloud).account({ region });
      bucket = newBucketName();
      await createBucket(cloud, bucket, region);
    });
    afterAll(() => cloud[Symbol.asyncDispose]());

    test("a bundle by name is its manifests and its numbered parts, and nothing else that begins so", async () => {
      const bundle = [
        "x/web.manifest.xml",
        "x/web.manifest",
        "x/web.part.0",
        "x/web.part.10",
        "x/web.part.1",
      ];
      const others = ["x/web.part.1.bak", "x/web2.manifest.xml", "x/web.img", "web.part.0", "x/y/web.part.0"];
      await put([...bundle, ...others]);
      const doomed = await findByName(provider, { bucket, prefix: "x" }, "web", signal);
      expect(doomed).toEqual({
        manifests: ["x/web.manifest", "x/web.manifest.xml"],
        parts: ["x/web.part.0", "x/web.part.1", "x/web.part.10"],
        sizeBytes: 0,
      });
      await deleteBundle(provider, { bucket, prefix: "x" }, doomed, signal);
      expect(await keys()).toEqual([...others].sort());
      await provider.deleteObjects(bucket, others, signal);
    });

    test("a bundle by its manifest is what that lists, as far as it is there", async () => {
      await using files = await newFiles();
      await put(["p/web.part.1", "p/web.part.7", "p/web.manifest.xml"]);
      const place = { bucket, prefix: "p" };
      const doomed = await findByManifest(provider, place, files.manifestPath, undefined, signal);
      expect(doomed).toEqual({ manifests: ["p/web.manifest.xml"], parts: ["p/web.part.1"], sizeBytes: 0 });
      await deleteBundle(provider, place, doomed, signal);
      expect(await keys()).toEqual(["p/web.part.7"]);
      await provider.deleteObjects(bucket, ["p/web.part.7"], signal);
    });

    test("a bundle of more than a thousand parts goes as a whole, and then its empty bucket", async () => {
      const parts = Array.from({ length: 1003 }, (_, index) => `big/web.part.${index}`);
      await put([...parts, "big/web.manifest.xml"]);
      const doomed = await findByName(provider, { bucket, prefix: "big" }, "web", signal);
      expect(doomed.parts).toHaveLength(1003);
      await expect(provider.deleteBucket(bucket, signal)).rejects.toMatchObject({ code: "bucket-unusable" });
      await deleteBundle(provider, { bucket, prefix: "big" }, doomed, signal);
      expect(await keys()).toEqual([]);
      await provider.deleteBucket(bucket, signal);
      await expect(provider.bucket(bucket, signal)).rejects.toMatchObject({ code: "bucket-unusable" });
      await provider.deleteBucket(bucket, signal);
    });

    async function put(names: readonly string[]): Promise<void> {
      const one = (key: string, either: AbortSignal): Promise<void> =>
        provider.putObject({ bucket, key }, nothing, either);
      await inParallel(names, 16, one, signal);
    }

    async function keys(): Promise<readonly string[]> {
      const found: string[] = [];
      for await (const { key } of provider.listObjects({ bucket, prefix: "" }, signal)) found.push(key);
      return found;
    }
  });
}

test("when deleting ends halfway, what is left has no manifest to register it by", async () => {
  await using cloud = await startEmulatedCloud();
  const provider = hasty(cloud).account({ region });
  const bucket = newBucketName();
  await createBucket(cloud, bucket, region);
  for (const key of ["web.manifest.xml", "web.part.0"])
    await provider.putObject({ bucket, key }, nothing, signal);
  const place = { bucket, prefix: "" };
  const doomed = await findByName(provider, place, "web", signal);
  // The first request is that for the manifest.
  cloud.emulator.fail("DeleteObjects", "slow:0");
  cloud.emulator.fail("DeleteObjects", "AccessDenied", { times: 9 });
  await expect(deleteBundle(provider, place, doomed, signal)).rejects.toMatchObject({
    code: "permission-denied",
  });
  expect(cloud.emulator.left().objects).toEqual([`${bucket}/web.part.0`]);
});
