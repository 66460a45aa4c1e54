import { join } from "node:path";
import { GetObjectAclCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ObjectName, PutBody } from "../../src/aws/provider.ts";
import { Problem } from "../../src/problem.ts";
import type { Bundle } from "../../src/stage/bundle.ts";
import { upload } from "../../src/stage/upload.ts";
import { verify } from "../../src/stage/verify.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { newSpooled, toUpload } from "../help/stage-bundle.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";

/** The canonical user id that stands behind aws-exec-read (bundle-format notes of the AMI tools). */
const zaTeam = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c";

let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let rig: StageRig;
let bundle: Bundle;

beforeAll(async () => {
  cloud = await startEmulatedCloud();
  await createBucket(cloud, "acme-images", "us-east-1");
});
afterAll(() => cloud[Symbol.asyncDispose]());
beforeEach(async () => {
  rig = await newStageRig(cloud.options);
  bundle = await newSpooled(join(rig.run.directory, "spool"));
  return () => rig[Symbol.asyncDispose]();
});

test.each(["500", "SlowDown", "cut", "cut-after"])(
  "an upload that meets %s ends with every object in its place",
  async (fault) => {
    cloud.emulator.fail("PutObject", fault, { times: 2 });
    const uploaded = await rig.stage(upload, toUpload(bundle, `faults/${fault}`));
    await rig.stage(verify, { uploaded });
  },
);

test("EC2's bundle service may read every object, and nobody else", async () => {
  const uploaded = await rig.stage(upload, toUpload(bundle, "acl"));
  const { endpointUrl: endpoint = "", credentials } = cloud.options;
  const s3 = new S3Client({
    endpoint,
    region: "us-east-1",
    forcePathStyle: true,
    ...(credentials && { credentials }),
  });
  for (const { key: Key } of [...uploaded.parts, uploaded.manifest]) {
    const { Grants = [], Owner } = await s3.send(new GetObjectAclCommand({ Bucket: "acme-images", Key }));
    const others = Grants.filter(({ Grantee }) => Grantee?.ID !== Owner?.ID);
    expect(others.map(({ Grantee, Permission }) => [Grantee?.ID, Permission])).toEqual([[zaTeam, "READ"]]);
  }
  s3.destroy();
});

test("a second run of the stage puts nothing", async () => {
  await rig.stage(upload, toUpload(bundle, "again"));
  const before = cloud.emulator.calls("PutObject");
  await rig.stage(upload, toUpload(bundle, "again"));
  expect(cloud.emulator.calls("PutObject")).toBe(before);
});

test("the manifest goes up when every part is there, and a part that fails stops the others", async () => {
  const put: string[] = [];
  const provider = newProvider({
    headObject: () => Promise.resolve(null),
    deleteObjects: () => Promise.resolve(),
    putObject: async ({ key }: ObjectName, { contentType }: PutBody) => {
      // The claim is no manifest yet.
      if (contentType !== "text/plain") put.push(key);
      if (key.endsWith("part.1") && put.length < 6)
        throw new Problem("permission-denied", "s3:PutObject is denied");
    },
  });
  await using fake = await newStageRig(provider);
  const many = await newSpooled(join(fake.run.directory, "many"), 20);
  await expect(fake.stage(upload, toUpload(many))).rejects.toThrow("s3:PutObject is denied");
  expect(put.length).toBeLessThan(20);
  expect(put.some((key) => key.endsWith(".xml"))).toBe(false);
  put.length = 100;
  await fake.stage(upload, toUpload(many));
  expect(put.at(-1)).toBe("web/1/image.manifest.xml");
});

test("a place that another build has claimed is left to it", async () => {
  const other = await newSpooled(join(rig.run.directory, "other"), 2);
  await rig.stage(upload, toUpload(other, "shared"));
  const before = cloud.emulator.left().objects.filter((object) => object.includes("shared/"));
  await expect(rig.stage(upload, toUpload(bundle, "shared"))).rejects.toMatchObject({
    code: "bucket-unusable",
  });
  expect(cloud.emulator.left().objects.filter((object) => object.includes("shared/"))).toEqual(before);
});

test("every object is noted before the first byte goes up, and an interrupt leaves none", async () => {
  const stop = new AbortController();
  cloud.emulator.fail("PutObject", "slow:300", { times: 10 });
  const going = rig.stage(upload, toUpload(bundle, "stopped"), stop.signal);
  going.catch(() => undefined);
  await expect.poll(() => rig.entries.length).toBe(1);
  stop.abort(new Problem("interrupted", "Ctrl-C"));
  await expect(going).rejects.toMatchObject({ code: "interrupted" });
  expect(rig.entries.find((entry) => entry.type === "acquired")).toMatchObject({
    kind: "s3.bundle",
    record: { keys: expect.arrayContaining(["stopped/image.part.0", "stopped/image.manifest.xml"]) },
  });
  expect(await rig.giveBack()).toEqual([]);
  expect(cloud.emulator.left().objects.filter((name) => name.includes("stopped"))).toEqual([]);
});
