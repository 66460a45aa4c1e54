import { readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import { openKey } from "../../src/bundle/open-key.ts";
import { openBundleInS3 } from "../../src/store/bundle-in-s3.ts";
import { copyParts } from "../../src/store/copy-parts.ts";
import { downloadBundle } from "../../src/store/download-bundle.ts";
import { type Outcome, Tally } from "../../src/store/progress.ts";
import { manifestType, sha1Of } from "../../src/store/put-file.ts";
import { type Uploaded, uploadBundle } from "../../src/store/upload-bundle.ts";
import { unbundled } from "../bundle/bundled.ts";
import { goldenPath, userPrivateKey } from "../bundle/golden.ts";
import { clouds, createBucket, type TestCloud } from "../help/clouds.ts";
import {
  acl,
  aclsOf,
  concurrency,
  type Files,
  hasty,
  image,
  newBucketName,
  newDirectory,
  newFiles,
  region,
  signal,
} from "./rig.ts";

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(`with ${name}`, () => {
    let test1: TestCloud;
    let cloud: Cloud;
    let files: Files;
    let bucket: string;

    beforeAll(async () => {
      test1 = await start();
      cloud = hasty(test1);
      files = await newFiles();
      bucket = newBucketName();
      await createBucket(test1, bucket, region);
      await upload();
    });
    afterAll(async () => {
      await files[Symbol.asyncDispose]();
      await test1[Symbol.asyncDispose]();
    });

    test("a bundle in S3 is its parts and its manifest, and EC2 may read each", async () => {
      // Moto takes aws-exec-read, and grants nobody anything for it.
      const grants = name.startsWith("moto") ? ["FULL_CONTROL"] : ["FULL_CONTROL", "READ"];
      expect(await aclsOf(test1, bucket)).toEqual({
        "web/1/web.manifest.xml": grants,
        "web/1/web.part.0": grants,
        "web/1/web.part.1": grants,
      });
    });

    test("everybody may read a bundle that is made public", async () => {
      const place = { bucket: newBucketName(), prefix: "" };
      await upload({ place, createBucket: true, acl: "public-read" });
      const grants = Object.values(await aclsOf(test1, place.bucket));
      expect(grants).toEqual(Array.from({ length: 3 }, () => ["FULL_CONTROL", "READ"]));
    });

    test("what is there already is not sent again", async () => {
      expect(await upload()).toEqual({
        bucket,
        region,
        location: `${bucket}/web/1/web.manifest.xml`,
        bucketCreated: false,
        uploaded: 0,
        alreadyThere: 3,
        sizeBytes: files.parts.reduce((sum, { length }) => sum + length, files.xml.length),
      });
    });

    test("a bundle comes back byte for byte, and only what is missing or damaged comes again", async () => {
      await using target = await newDirectory();
      const whole = await download(target.path);
      expect(whole.map(([, how]) => how)).toEqual(["got", "got"]);
      expect((await readdir(target.path)).sort()).toEqual(["web.manifest.xml", "web.part.0", "web.part.1"]);
      for (const [index, part] of files.parts.entries()) {
        expect((await readFile(join(target.path, `web.part.${index}`))).equals(part)).toBe(true);
      }
      expect(await readFile(join(target.path, "web.manifest.xml"), "utf8")).toBe(files.xml);

      await truncate(join(target.path, "web.part.1"), 1000);
      const again = await download(target.path);
      expect(Object.fromEntries(again)).toEqual({ "web.part.0": "there", "web.part.1": "got" });
    });

    test("a bundle is opened where it is, without a file", async () => {
      const bundle = await openBundleInS3(cloud, `s3://${bucket}/web/1/web.manifest.xml`, { signal });
      const key = openKey(bundle.manifest.image, userPrivateKey);
      expect((await unbundled(bundle.manifest, key, bundle.openPart)).equals(image)).toBe(true);
    });

    test("a bucket that is not there is made only when that is asked for", async () => {
      const name = newBucketName();
      await expect(upload({ place: { bucket: name, prefix: "" } })).rejects.toMatchObject({
        code: "bucket-unusable",
        message: `bucket ${name} does not exist`,
        hint: expect.stringContaining("--create-bucket"),
      });
      const made = await upload({
        place: { bucket: name, prefix: "" },
        createBucket: true,
        region: "eu-west-1",
      });
      expect(made).toMatchObject({ bucketCreated: true, region: "eu-west-1", uploaded: 3 });
      const provider = cloud.account({ region: "eu-west-1" });
      expect(await provider.bucket(name, signal)).toEqual({
        name,
        region: "eu-west-1",
        ownership: "BucketOwnerPreferred",
      });
      expect(Object.keys(await aclsOf(test1, name, "eu-west-1"))).toContain("web.manifest.xml");
    });

    test("a bucket is found in its region, and another region that was named is refused", async () => {
      const name = newBucketName();
      await createBucket(test1, name, "eu-west-1");
      const place = { bucket: name, prefix: "x" };
      await expect(upload({ place, region: "us-east-1" })).rejects.toMatchObject({
        code: "bucket-unusable",
        message: `bucket ${name} is in eu-west-1, not in us-east-1`,
      });
      expect(await upload({ place, region: undefined })).toMatchObject({ region: "eu-west-1", uploaded: 3 });
    });

    test("another bundle of that name is replaced only when that is asked for", async () => {
      const place = { bucket, prefix: "other" };
      await upload({ place });
      await using other = await newFiles();
      await expect(upload({ place, manifestPath: other.manifestPath })).rejects.toMatchObject({
        code: "bucket-unusable",
        message: `there is another bundle at s3://${bucket}/other/web.manifest.xml`,
      });
      const replaced = await upload({ place, manifestPath: other.manifestPath, replace: true });
      expect(replaced).toMatchObject({ uploaded: 3, alreadyThere: 0 });
      const { text } = await openBundleInS3(cloud, `s3://${bucket}/other/web.manifest.xml`, { signal });
      expect(text).toBe(other.xml);
    });

    test("parts may go up from one on, and without the manifest", async () => {
      const place = { bucket, prefix: "some" };
      expect(await upload({ place, firstPart: 1, skipManifest: true })).toMatchObject({
        location: null,
        uploaded: 1,
      });
      expect(Object.keys(await aclsOf(test1, bucket)).filter((key) => key.startsWith("some/"))).toEqual([
        "some/web.part.1",
      ]);
    });

    test("a bundle is copied within S3 to another region, and the copy is the same", async () => {
      const to = { bucket: newBucketName(), prefix: "copy" };
      await createBucket(test1, to.bucket, "eu-west-1");
      const bundle = await openBundleInS3(cloud, `s3://${bucket}/web/1/web.manifest.xml`, { region, signal });
      const target = {
        provider: cloud.account({ region: "eu-west-1" }),
        place: to,
        acl,
        concurrency,
        signal,
      };
      const copied: Outcome[] = [];
      const listener = { onDone: (_: string, how: Outcome) => void copied.push(how) };
      await copyParts(bundle, target, new Tally(listener, bundle.manifest.image.bundledSizeBytes));
      await copyParts(bundle, target, new Tally(listener, bundle.manifest.image.bundledSizeBytes));
      expect(copied).toEqual(["copied", "copied", "there", "there"]);
      const head = await target.provider.headObject({ bucket: to.bucket, key: "copy/web.part.1" }, signal);
      expect(head).toEqual({
        sizeBytes: files.parts[1]?.length,
        sha1: bundle.manifest.image.parts[1]?.sha1,
      });
    });

    test("a manifest from before 2007 is opened with its owner's private key", async () => {
      const encrypted = await readFile(goldenPath("formats/small.manifest.enc-v2.bin"));
      const body = { bytes: encrypted, sha1: sha1Of(encrypted), contentType: manifestType, acl };
      await cloud.account({ region }).putObject({ bucket, key: "old/small.manifest.xml" }, body, signal);
      const url = `s3://${bucket}/old/small.manifest.xml`;
      await expect(openBundleInS3(cloud, url, { region, signal })).rejects.toMatchObject({
        code: "bundle-invalid",
        hint: expect.stringContaining("--privatekey"),
      });
      const bundle = await openBundleInS3(cloud, url, { region, signal, privateKey: userPrivateKey });
      expect([bundle.manifest.image.name, bundle.stored.length]).toEqual(["small.img", encrypted.length]);
    });

    async function upload(more: Partial<Parameters<typeof uploadBundle>[1]> = {}): Promise<Uploaded> {
      const place = { bucket, prefix: "web/1" };
      const { manifestPath } = files;
      return uploadBundle(cloud, { place, manifestPath, acl, concurrency, signal, region, ...more });
    }

    async function download(directory: string): Promise<readonly (readonly [string, Outcome])[]> {
      const done: (readonly [string, Outcome])[] = [];
      await downloadBundle(cloud, {
        place: { bucket, prefix: "web/1" },
        fileName: "web.manifest.xml",
        directory,
        concurrency,
        signal,
        region,
        onDone: (name, how) => done.push([name, how]),
      });
      return done;
    }
  });
}

test("a part that was damaged on this machine is not sent", async () => {
  await using files = await newFiles();
  await using cloud = await (clouds[1] ?? clouds[0])?.start();
  if (!cloud) throw new Error("no cloud");
  const bucket = newBucketName();
  await createBucket(cloud, bucket, region);
  await writeFile(join(files.directory, "web.part.1"), "damaged");
  const options = {
    place: { bucket, prefix: "" },
    manifestPath: files.manifestPath,
    acl,
    concurrency,
    signal,
    region,
  };
  await expect(uploadBundle(hasty(cloud), options)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: expect.stringContaining("web.part.1 has SHA-1"),
  });
  expect(Object.keys(await aclsOf(cloud, bucket))).not.toContain("web.manifest.xml");
  await rm(join(files.directory, "web.part.0"));
  await expect(uploadBundle(hasty(cloud), options)).rejects.toMatchObject({
    code: "file-unreadable",
    message: expect.stringContaining("part 0 (web.part.0) cannot be read"),
  });
});
