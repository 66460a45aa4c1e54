import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Bundle } from "../../src/stage/bundle.ts";
import { upload } from "../../src/stage/upload.ts";
import { verify } from "../../src/stage/verify.ts";
import { clouds, createBucket, type TestCloud } from "../help/clouds.ts";
import { newSpooled, toUpload } from "../help/stage-bundle.ts";
import { account } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const signal = AbortSignal.timeout(120_000);
const Bucket = "acme-images";

describe.each(clouds)("against $name", ({ skipped, start }) => {
  describe.skipIf(skipped)("a bundle", () => {
    let cloud: TestCloud;
    let rig: StageRig;
    let bundle: Bundle;
    let s3: S3Client;
    let prefix: string;
    let count = 0;

    beforeAll(async () => {
      cloud = await start();
      await createBucket(cloud, Bucket, "us-east-1");
      s3 = toS3(cloud);
    });
    afterAll(async () => {
      s3.destroy();
      await cloud[Symbol.asyncDispose]();
    });
    beforeEach(async () => {
      rig = await newStageRig(cloud.options);
      bundle = await newSpooled(join(rig.run.directory, "spool"));
      count += 1;
      prefix = `web/${count}`;
      return () => rig[Symbol.asyncDispose]();
    });

    test("is stored with its manifest, and is what was made", async () => {
      const uploaded = await rig.stage(upload, toUpload(bundle, prefix));
      expect(uploaded).toMatchObject({
        bucket: Bucket,
        location: `${Bucket}/${prefix}/image.manifest.xml`,
        parts: bundle.parts.map(({ name, sizeBytes, sha1 }) => ({
          key: `${prefix}/${name}`,
          sizeBytes,
          sha1,
        })),
      });
      expect(await rig.stage(verify, { uploaded })).toEqual({ ...uploaded, verified: true });
    });

    test("is given back to the last object when the run fails", async () => {
      const uploaded = await rig.stage(upload, toUpload(bundle, prefix));
      expect(await rig.giveBack()).toEqual([]);
      const provider = rig.cloud.account(account);
      for (const { key } of [...uploaded.parts, uploaded.manifest]) {
        expect(await provider.headObject({ bucket: Bucket, key }, signal)).toBeNull();
      }
    });

    test("that lost a part, has another's bytes or is cut short is told with every such object", async () => {
      const uploaded = await rig.stage(upload, toUpload(bundle, prefix));
      const provider = rig.cloud.account(account);
      const [lost, altered, short] = uploaded.parts.map(({ key }) => key);
      await provider.deleteObject({ bucket: Bucket, key: lost ?? "" }, signal);
      const put = (Key: string | undefined, Body: Buffer) =>
        s3.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: "SHA1" }));
      await put(altered, Buffer.alloc(1001));
      await put(short, Buffer.alloc(10));
      const failed = rig.stage(verify, { uploaded });
      await expect(failed).rejects.toMatchObject({ code: "bundle-invalid" });
      await expect(failed).rejects.toThrow(`${lost} is missing`);
      await expect(failed).rejects.toThrow(new RegExp(`${altered} has SHA-1 [0-9a-f]{40} instead of`));
      await expect(failed).rejects.toThrow(`${short} has 10 bytes instead of 1002`);
    });

    test("whose store keeps no SHA-1 is read back", async () => {
      const uploaded = await rig.stage(upload, toUpload(bundle, prefix));
      const { readFile } = await import("node:fs/promises");
      for (const [index, { key }] of uploaded.parts.entries()) {
        const Body = await readFile(bundle.parts[index]?.path ?? "");
        await s3.send(new PutObjectCommand({ Bucket, Key: key, Body, ChecksumAlgorithm: "CRC32" }));
      }
      await rig.stage(verify, { uploaded });
      expect(rig.lines.at(-1)).toBe("4 objects match their size and SHA-1, 3 of them read back");
    });

    test("that is there already is not sent again, though its files are gone", async () => {
      const first = await rig.stage(upload, toUpload(bundle, prefix));
      for (const { path } of bundle.parts) await rm(path ?? "");
      expect(await rig.stage(upload, toUpload(bundle, prefix))).toEqual(first);
      expect(rig.lines.filter((line) => line.endsWith("is there already"))).toHaveLength(4);
      expect(rig.progress.at(-1)).toEqual({ done: 3003 + 11, total: 3003 + 11 });
    });

    test("of which a part cannot be read has no manifest in the store", async () => {
      const path = bundle.parts[1]?.path ?? "";
      await rm(path);
      await mkdir(path);
      await expect(rig.stage(upload, toUpload(bundle, prefix))).rejects.toThrow("cannot read");
      const where = { bucket: Bucket, key: `${prefix}/image.manifest.xml` };
      const there = await rig.cloud.account(account).headObject(where, signal);
      expect(there?.sha1).not.toBe(bundle.manifestSha1);
    });
  });
});

function toS3({ options }: TestCloud): S3Client {
  const { endpointUrl: endpoint = "", credentials } = options;
  const anyone = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };
  return new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    credentials: credentials ?? anyone,
    requestChecksumCalculation: "WHEN_REQUIRED",
  });
}
