import { EBSClient } from "@aws-sdk/client-ebs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Conversion } from "../../src/stage/conversion.ts";
import { type ConvertedVolume, type ConvertInput, convert } from "../../src/stage/convert.ts";
import { type Bundled, bundled, noise, partsOf } from "../bundle/bundled.ts";
import { startEmulatedCloud } from "../help/clouds.ts";
import { readSnapshot } from "../help/read-snapshot.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const account = { region: "us-east-1" };
const task = "us-east-1/convert";
const blockBytes = 512 * 1024;

// Data, a hole of blocks and of less than one, and an end that is not that of a block.
const image = Buffer.alloc(24 * blockBytes + 12_345);
image.set(noise(9 * blockBytes + 7));
image.set(noise(5000), 14 * blockBytes - 2500);
image.set(noise(4 * blockBytes), 20 * blockBytes + 12_345);
const written = [...Array(10).keys(), 13, 14, 20, 21, 22, 23, 24];

const conversion: Conversion = {
  volumeSizeGiB: 1,
  image: {
    name: "web-ebs",
    description: null,
    architecture: "x86_64",
    virtualization: "hvm",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
    root: { device: "/dev/sda1", sizeGiB: 8, type: "gp3" },
    enaSupport: true,
    sriovNetSupport: true,
    imdsV2: true,
    tags: { team: "web" },
  },
};

let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let bundle: Bundled;

beforeAll(async () => {
  cloud = await startEmulatedCloud();
  bundle = await bundled([image], { sizeBytes: image.length });
});
afterAll(() => cloud[Symbol.asyncDispose]());

function start(
  rig: StageRig,
  change: Partial<ConvertInput> = {},
  signal?: AbortSignal,
): Promise<ConvertedVolume> {
  const opened = { manifest: bundle.manifest, text: bundle.xml, openPart: partsOf(bundle.parts) };
  const input = {
    account,
    conversion,
    bundle: opened,
    key: bundle.key,
    encryption: null,
    concurrency: 4,
    ...change,
  };
  return convert(input, rig.context(task, signal));
}

function named(name: string): Conversion {
  return { ...conversion, image: { ...conversion.image, name } };
}

test("the snapshot has the image's bytes, and the image is registered with it", async () => {
  await using rig = await newStageRig(cloud.options);
  // What was lost on the way is sent again.
  cloud.emulator.fail("PutSnapshotBlock", "cut", { times: 2 });
  cloud.emulator.fail("PutSnapshotBlock", "RequestThrottledException");
  const { snapshotId, imageId, ...facts } = await start(rig, { encryption: "default" });
  expect(facts).toEqual({ sizeBytes: image.length, blocks: written.length, blockBytes });
  const { endpointUrl = "", credentials } = cloud.emulator.cloud;
  const signing = credentials ?? { accessKeyId: "", secretAccessKey: "" };
  const client = new EBSClient({ ...account, endpoint: endpointUrl, credentials: signing });
  const { indexes, volume, volumeSizeGiB } = await readSnapshot(client, snapshotId);
  expect(indexes).toEqual(written);
  expect(volume.subarray(0, image.length).equals(image)).toBe(true);
  expect(volume.subarray(image.length).every((byte) => byte === 0)).toBe(true);
  expect(volumeSizeGiB).toBe(1);
  const [found] = await rig.cloud.account(account).findImages({ ids: [imageId] }, AbortSignal.timeout(5000));
  expect(found).toMatchObject({
    name: "web-ebs",
    state: "available",
    rootDeviceType: "ebs",
    rootDeviceName: "/dev/sda1",
    virtualization: "hvm",
    blockDeviceMappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
    enaSupport: true,
    sriovNetSupport: "simple",
    imdsSupport: "v2.0",
    tags: { team: "web", "imgspec:run": rig.run.id },
  });
  expect(await rig.giveBack()).toEqual([]);
  expect(cloud.emulator.left().snapshots).toContain(snapshotId);
  expect(rig.entries.map(({ type }) => type)).toEqual(["acquired", "acquired", "kept", "kept"]);
});

test.each([
  ["StartSnapshot", "ConcurrentLimitExceededException", "aws-fault"],
  ["PutSnapshotBlock", "AccessDeniedException", "permission-denied"],
  ["CompleteSnapshot", "AccessDeniedException", "permission-denied"],
  ["RegisterImage", "UnauthorizedOperation", "permission-denied"],
])("after a %s that is refused nothing is left", async (action, fault, code) => {
  await using rig = await newStageRig(cloud.options);
  const before = cloud.emulator.left();
  cloud.emulator.fail(action, fault);
  await expect(start(rig, { conversion: named(`refused ${action}`) })).rejects.toMatchObject({ code });
  await rig.giveBack();
  expect(cloud.emulator.left()).toEqual(before);
});

test("a part that is not as the manifest says completes nothing", async () => {
  await using rig = await newStageRig(cloud.options);
  const before = cloud.emulator.left();
  const completed = cloud.emulator.calls("CompleteSnapshot");
  const parts = bundle.parts.map((part, index) =>
    index === 0 ? Uint8Array.from(part).fill(0, 99, 100) : part,
  );
  const damaged = { manifest: bundle.manifest, text: bundle.xml, openPart: partsOf(parts) };
  await expect(start(rig, { bundle: damaged })).rejects.toMatchObject({ code: "bundle-invalid" });
  await rig.giveBack();
  expect(cloud.emulator.left()).toEqual(before);
  expect(cloud.emulator.calls("CompleteSnapshot")).toBe(completed);
});

test("an image that is not as the manifest says completes nothing, though every part is", async () => {
  await using rig = await newStageRig(cloud.options);
  const before = cloud.emulator.left();
  const completed = cloud.emulator.calls("CompleteSnapshot");
  const { image: told } = bundle.manifest;
  const other = { ...bundle.manifest, image: { ...told, digest: "0".repeat(40) } };
  const changed = { manifest: other, text: bundle.xml, openPart: partsOf(bundle.parts) };
  const sent = cloud.emulator.calls("PutSnapshotBlock");
  await expect(start(rig, { bundle: changed })).rejects.toMatchObject({ code: "bundle-invalid" });
  await rig.giveBack();
  expect(cloud.emulator.calls("PutSnapshotBlock")).toBeGreaterThan(sent);
  expect(cloud.emulator.left()).toEqual(before);
  expect(cloud.emulator.calls("CompleteSnapshot")).toBe(completed);
});

test("an interrupt in the middle of the blocks deletes the snapshot", async () => {
  await using rig = await newStageRig(cloud.options);
  const before = cloud.emulator.left();
  const interrupt = new AbortController();
  const reason = new Error("Ctrl-C");
  cloud.emulator.fail("PutSnapshotBlock", "slow:60000", { times: 4 });
  const started = cloud.emulator.calls("PutSnapshotBlock");
  const running = start(rig, {}, interrupt.signal);
  await expect.poll(() => cloud.emulator.calls("PutSnapshotBlock")).toBe(started + 4);
  interrupt.abort(reason);
  await expect(running).rejects.toThrow("Ctrl-C");
  expect(await rig.giveBack()).toEqual([]);
  expect(cloud.emulator.left()).toEqual(before);
});

test("a snapshot that EBS finds otherwise than was said is told of, and deleted", async () => {
  await using rig = await newStageRig(cloud.options);
  const before = cloud.emulator.left();
  const provider = rig.cloud.account(account);
  const forgetful = {
    ...provider,
    putSnapshotBlock: (...[block, signal]: Parameters<typeof provider.putSnapshotBlock>) =>
      block.index === 13 ? Promise.resolve() : provider.putSnapshotBlock(block, signal),
  };
  const context = { ...rig.context(task), cloud: { ...rig.cloud, account: () => forgetful } };
  const opened = { manifest: bundle.manifest, text: bundle.xml, openPart: partsOf(bundle.parts) };
  const input = { account, conversion, bundle: opened, key: bundle.key, encryption: null, concurrency: 4 };
  await expect(convert(input, context)).rejects.toMatchObject({
    code: "snapshot-failed",
    message: expect.stringMatching(
      /^snapshot snap-\w+ became error: Changed blocks count mismatch for snapshot$/,
    ),
  });
  await rig.giveBack();
  expect(cloud.emulator.left()).toEqual(before);
});
