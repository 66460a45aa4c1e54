import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { noise } from "../bundle/bundled.ts";
import { clouds, createBucket, startEmulatedCloud, type TestCloud } from "../help/clouds.ts";
import { newTool, type Tool } from "../help/tool.ts";
import { aclsOf, newBucketName } from "../store/rig.ts";

const region = "us-east-1";
const pair = ["--cert", "cert-user.pem", "--privatekey", "pk-user.pem"];
const image = noise(22 * 1024 * 1024);
const names = ["web.part.0000", "web.part.0001", "web.part.0002"];

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(`with ${name}`, () => {
    let cloud: TestCloud;
    let tool: Tool;
    let bucket: string;

    beforeAll(async () => {
      cloud = await start();
      tool = await newTool();
      bucket = newBucketName();
      await createBucket(cloud, bucket, region);
      await writeFile(tool.path("web.img"), image);
    });
    afterAll(async () => {
      await tool[Symbol.asyncDispose]();
      await cloud[Symbol.asyncDispose]();
    });

    test("a bundle made straight in S3 is verified, inspected and unbundled from there", async () => {
      const url = `s3://${bucket}/web/1`;
      const line = [
        "bundle",
        "web.img",
        "--user",
        "123456789012",
        "--level",
        "1",
        ...pair,
        "--prefix",
        "web",
      ];
      const made = await run([...line, "--to", url, "-q", "-o", "json"]);
      expect([made.code, made.stderr]).toEqual([0, ""]);
      const { manifest } = JSON.parse(made.stdout) as { manifest: string };
      expect(manifest).toBe(`${url}/web.manifest.xml`);
      expect(await tool.files()).toEqual(["web.img"]);
      const grants = name.startsWith("moto") ? ["FULL_CONTROL"] : ["FULL_CONTROL", "READ"];
      expect(await aclsOf(cloud, bucket)).toEqual(
        Object.fromEntries(["web.manifest.xml", ...names].map((fileName) => [`web/1/${fileName}`, grants])),
      );
      const verified = await run(["verify", manifest, ...pair]);
      expect(verified.stdout.trim().split("\n").at(-1)).toBe(`${manifest} is good`);
      const inspected = await run(["inspect", manifest, "--output", "json"]);
      const { image: told } = JSON.parse(inspected.stdout) as { image: { parts: { fileName: string }[] } };
      expect(told.parts.map(({ fileName }) => fileName)).toEqual(names);
      expect((await run(["unbundle", manifest, ...pair])).code).toBe(0);
      expect((await readFile(tool.path("web"))).equals(image)).toBe(true);

      const again = await run([...line, "--to", url]);
      expect([again.code, again.stderr]).toEqual([
        4,
        expect.stringContaining(`there is a bundle at ${manifest} already`),
      ]);
      expect((await run([...line, "--to", url, "--replace"])).code).toBe(0);
      expect((await run(["verify", manifest])).code).toBe(0);
    });

    test("upload, download and delete do what Amazon's tools did, by the same options", async () => {
      await run(["bundle", "web.img", "-u", "123456789012", ...pair, "--level", "1", "-p", "a"]);
      const where = ["-b", `${bucket}/a`];
      const uploaded = await run(["upload", ...where, "-m", "a.manifest.xml", "--retry", "-q", "-o", "json"]);
      expect([uploaded.code, uploaded.stderr]).toEqual([0, ""]);
      expect(JSON.parse(uploaded.stdout)).toMatchObject({
        location: `${bucket}/a/a.manifest.xml`,
        uploaded: 4,
        alreadyThere: 0,
      });
      const repeated = await run(["upload", ...where, "a.manifest.xml"]);
      expect(repeated.code).toBe(0);
      expect(repeated.stdout).toContain("4 of them there already");
      await using target = await newTool();
      const line = ["download", ...where, "-p", "a", "-d", target.folder, "-k", "pk-user.pem"];
      expect((await run(line)).code).toBe(0);
      expect(await target.files()).toEqual(["a.manifest.xml", "a.part.0", "a.part.1", "a.part.2"]);
      const unasked = await run(["delete", ...where, "-p", "a"]);
      expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining("there is nobody to ask")]);
      const deleted = await run(["delete", ...where, "-m", "a.manifest.xml", "-y", "-o", "json"]);
      const { deleted: gone } = JSON.parse(deleted.stdout) as { deleted: string[] };
      expect(gone[0]).toBe(`s3://${bucket}/a/a.manifest.xml`);
      expect(gone).toHaveLength(4);
      expect(Object.keys(await aclsOf(cloud, bucket)).filter((key) => key.startsWith("a/"))).toEqual([]);
    });

    function run(args: readonly string[]): ReturnType<Tool["run"]> {
      const place = name === "the emulator" ? "--emulator" : "--endpoint-url";
      const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "example" };
      // A bundle that is made on this machine asks nobody.
      const isLocal = args[0] === "bundle" && !args.includes("--to");
      return tool.run(isLocal ? args : [...args, place, cloud.options.endpointUrl ?? ""], { env });
    }
  });
}

test("an upload that was killed goes on where it was", async () => {
  await using cloud = await startEmulatedCloud();
  await using tool = await newTool();
  const bucket = newBucketName();
  await createBucket(cloud, bucket, region);
  await writeFile(tool.path("web.img"), image);
  await tool.run(["bundle", "web.img", "-u", "123456789012", ...pair, "--level", "1", "-p", "web"]);
  const line = ["upload", "web.manifest.xml", "-b", bucket, "--emulator", cloud.emulator.url];
  cloud.emulator.fail("PutObject", "slow:0");
  cloud.emulator.fail("PutObject", "slow:60000");
  const { process: child, ended } = tool.start([...line, "--concurrency", "1"]);
  while (child.exitCode === null && cloud.emulator.calls("PutObject") < 2) await sleep(10);
  child.kill("SIGKILL");
  await ended;
  expect(cloud.emulator.left().objects).toEqual([`${bucket}/web.part.0`]);
  const resumed = await tool.run([...line, "--output", "json"]);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ uploaded: 3, alreadyThere: 1 });
});

test("a bundle in S3 that is interrupted while it is made leaves nothing", async () => {
  await using cloud = await startEmulatedCloud();
  await using tool = await newTool();
  const bucket = newBucketName();
  await createBucket(cloud, bucket, region);
  await writeFile(tool.path("web.img"), image);
  cloud.emulator.fail("PutObject", "slow:0");
  cloud.emulator.fail("PutObject", "slow:60000");
  const line = ["bundle", "web.img", "-u", "123456789012", ...pair, "--to", `s3://${bucket}`];
  const { process: child, ended } = tool.start([...line, "--emulator", cloud.emulator.url]);
  while (child.exitCode === null && cloud.emulator.calls("PutObject") < 2) await sleep(10);
  child.kill("SIGINT");
  expect((await ended).code).toBe(130);
  expect(cloud.emulator.left().objects).toEqual([]);
});

test("a migrated manifest is opened by the other region's EC2, and the old one is kept beside", async () => {
  await using tool = await newTool();
  await tool.copy("ruby153/small/small.img.manifest.xml");
  const manifest = "small.img.manifest.xml";
  const before = await readFile(tool.path(manifest), "utf8");
  const line = ["migrate", manifest, "--to-region", "us-gov-west-1", ...pair];
  const { code, stdout } = await tool.run([...line, "--output", "json"]);
  expect([code, JSON.parse(stdout)]).toEqual([
    0,
    { manifest, region: "us-gov-west-1", backup: `${manifest}.bak`, ec2: "gov" },
  ]);
  expect(await readFile(tool.path(`${manifest}.bak`), "utf8")).toBe(before);
  const after = readManifest(await readFile(tool.path(manifest), "utf8"));
  expect(after.image.ec2).not.toEqual(readManifest(before).image.ec2);
  expect(after.image.owner).toEqual(readManifest(before).image.owner);
  expect((await tool.run(["verify", manifest, ...pair])).code).toBe(0);
  const again = await tool.run(line);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining(`${manifest}.bak exists already`)]);
});

/** A terminal of our own; part of util-linux. */
const haveTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

test.skipIf(!haveTerminal)("on a terminal delete lists and asks, and only a yes deletes", async () => {
  await using cloud = await startEmulatedCloud();
  await using tool = await newTool();
  await tool.copy("ruby153/small/small.img.manifest.xml");
  const bucket = newBucketName();
  const place = ["-b", bucket, "--emulator", cloud.emulator.url];
  await tool.run(["upload", "small.img.manifest.xml", "--create-bucket", ...place]);
  // The command as one word for `script`, which runs it in a shell of its own.
  const shell = 'exec script -qec "$*" /dev/null';
  for (const [answer, left] of [
    ["n\n", 2],
    ["y\n", 0],
  ] as const) {
    const input = [Buffer.from(answer)];
    const { code, stdout } = await tool.run(["delete", "-p", "small.img", ...place], { shell, input });
    expect(code).toBe(0);
    expect(stdout).toContain(`s3://${bucket}/small.img.manifest.xml\r\ns3://${bucket}/small.img.part.0`);
    expect(stdout).toContain("Delete these 2 objects? [y/N]");
    expect(cloud.emulator.left().objects).toHaveLength(left);
  }
});
