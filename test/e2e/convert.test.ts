import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client, RegisterImageCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { partName } from "../../src/bundle/pack.ts";
import { bundled, noise } from "../bundle/bundled.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { readSnapshot } from "../help/read-snapshot.ts";
import { newTool, type Tool } from "../help/tool.ts";
import { newBucketName } from "../store/rig.ts";

const region = "us-east-1";

// A disk: a partition table, something behind it, and a hole.
const disk = Buffer.alloc(12 * 1024 * 1024 + 512);
disk.set(noise(5 * 1024 * 1024), 1024 * 1024);
disk.set([0x80, 0, 2, 0, 0x83, 0, 0, 0, 0, 8, 0, 0, 0, 80, 0, 0], 446);
disk.writeUInt16LE(0xaa55, 510);

let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let tool: Tool;
let bucket: string;
let image: string;

beforeAll(async () => {
  cloud = await startEmulatedCloud();
  tool = await newTool();
  bucket = newBucketName();
  await createBucket(cloud, bucket, region);
  await store("disk", disk);
  await store("bare", disk.subarray(512));
  const registered = await ec2().send(
    new RegisterImageCommand({
      Name: "web-2026.11",
      Description: "the web server",
      ImageLocation: `${bucket}/disk/disk.manifest.xml`,
      VirtualizationType: "hvm",
      EnaSupport: true,
      TagSpecifications: [
        {
          ResourceType: "image",
          Tags: [
            { Key: "team", Value: "web" },
            { Key: "imgspec:run", Value: "r1" },
          ],
        },
      ],
    }),
  );
  image = registered.ImageId ?? "";
});
afterAll(async () => {
  await tool[Symbol.asyncDispose]();
  await cloud[Symbol.asyncDispose]();
});

test("an AMI becomes one that boots from EBS, with what the old one was told, and the same bytes", async () => {
  const line = ["convert", image, "--region", region, "-k", "pk-user.pem", "--tag", "kind=ebs"];
  const planned = await run([...line, "--dry-run"]);
  expect([planned.code, planned.stderr]).toEqual([0, ""]);
  expect(planned.stdout).toContain("would register web-2026.11-ebs: x86_64, hvm, root /dev/sda1 on gp3");
  expect(cloud.emulator.calls("StartSnapshot")).toBe(0);
  const { code, stdout, stderr } = await run([...line, "-q", "-o", "json"]);
  expect([code, stderr]).toEqual([0, ""]);
  const converted = JSON.parse(stdout) as { snapshotId: string; imageId: string; blocks: number };
  expect(converted).toMatchObject({ source: image, region, name: "web-2026.11-ebs", blocks: 11 });
  const { volume } = await readSnapshot(new EBSClient(settings()), converted.snapshotId);
  expect(volume.subarray(0, disk.length).equals(disk.subarray(0, volume.length))).toBe(true);
  const again = await run(line);
  expect([again.code, again.stderr]).toEqual([4, expect.stringContaining("already an image named")]);
  expect(again.stderr).toContain("--name");
});

test("a bare file system is refused as hvm, and is paravirtual with a kernel that boots it", async () => {
  const line = ["convert", `s3://${bucket}/bare/bare.manifest.xml`, "-k", "pk-user.pem", "-o", "json"];
  const before = cloud.emulator.calls("StartSnapshot");
  const refused = await run(line);
  expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining("has no partition table")]);
  expect(cloud.emulator.calls("StartSnapshot")).toBe(before);
  const { code, stdout } = await run([...line, "--kernel", "aki-919dcaf8", "--name", "old"]);
  expect([code, JSON.parse(stdout)]).toMatchObject([0, { name: "old", region }]);
});

test("what a conversion that was killed left is given back by clean", async () => {
  const before = cloud.emulator.left();
  const started = cloud.emulator.calls("PutSnapshotBlock");
  cloud.emulator.fail("PutSnapshotBlock", "slow:60000", { times: 4 });
  const line = [
    "convert",
    image,
    "-k",
    "pk-user.pem",
    "--concurrency",
    "4",
    "--state-dir",
    "runs",
    "--name",
    "killed",
  ];
  const { process: child, ended } = tool.start([...line, "--emulator", cloud.emulator.url]);
  while (child.exitCode === null && cloud.emulator.calls("PutSnapshotBlock") < started + 4) await sleep(10);
  child.kill("SIGKILL");
  await ended;
  expect(cloud.emulator.left().snapshots).toHaveLength(before.snapshots.length + 1);
  const [id = ""] = await readdir(tool.path("runs"));
  const cleaned = await tool.run(["clean", id, "--state-dir", "runs"]);
  expect([cleaned.code, cleaned.stdout]).toEqual([
    0,
    expect.stringMatching(/^released snapshot snap-\w+ in us-east-1\n1 of 1 given back\n$/),
  ]);
  expect(cloud.emulator.left()).toEqual(before);
});

/** Puts a bundle of an image into the bucket, as its builder does. */
async function store(name: string, image: Buffer): Promise<void> {
  const provider = toCloud(cloud.options).account({ region });
  const facts = {
    account: cloud.emulator.accountId,
    ec2Key: cloud.options.ec2Certificates?.commercial ?? "",
  };
  const { parts, xml } = await bundled([image], { sizeBytes: image.length, name }, facts);
  const put = (fileName: string, bytes: Uint8Array): Promise<void> => {
    const sha1 = createHash("sha1").update(bytes).digest("hex");
    const body = { bytes, sha1, contentType: "application/octet-stream", acl: "aws-exec-read" };
    return provider.putObject({ bucket, key: `${name}/${fileName}` }, body, AbortSignal.timeout(20_000));
  };
  for (const [index, bytes] of parts.entries()) await put(partName(name, index, parts.length), bytes);
  await put(`${name}.manifest.xml`, Buffer.from(xml));
}

function run(args: readonly string[]): ReturnType<Tool["run"]> {
  return tool.run([...args, "--emulator", cloud.emulator.url]);
}

function settings() {
  const { endpointUrl = "", credentials = { accessKeyId: "", secretAccessKey: "" } } = cloud.emulator.cloud;
  return { endpoint: endpointUrl, region, credentials };
}

function ec2(): EC2Client {
  return new EC2Client(settings());
}
