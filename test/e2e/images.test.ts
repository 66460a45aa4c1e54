import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CreateLaunchTemplateCommand,
  EC2Client,
  ModifyImageAttributeCommand,
  RunInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { allowed, calls } from "../docs/policy.ts";
import { newCli } from "../help/cli.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { newEmulated } from "../help/emulated.ts";
import { available, registerTiny, type TinyImage } from "../help/tiny-image.ts";
import { newTool, type Tool } from "../help/tool.ts";
import { hasty } from "../store/rig.ts";

/** A terminal of our own; part of util-linux. */
const haveTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0;

let emulated: Awaited<ReturnType<typeof startEmulatedCloud>>;
let emulator: Emulator;
let tool: Tool;
/** The oldest first. The first is in a launch template, the second has an instance. */
const us: TinyImage[] = [];
let eu: TinyImage;
/** How often each call was made until then. */
let before: ReadonlyMap<string, number>;

beforeAll(async () => {
  emulated = await startEmulatedCloud();
  emulator = emulated.emulator;
  tool = await newTool();
  const cloud = hasty(emulated);
  await createBucket(emulated, "acme-us", "us-east-1");
  await createBucket(emulated, "acme-eu", "eu-west-1");
  for (const run of ["1", "2", "3", "4", "5"])
    us.push(await registerTiny(emulator, cloud, { bucket: "acme-us", key: `web/${run}/web` }));
  eu = await registerTiny(emulator, cloud, { bucket: "acme-eu", key: "web/1/web", region: "eu-west-1" });
  await available(cloud, "us-east-1", us[4]?.id ?? "");
  await available(cloud, "eu-west-1", eu.id);
  const { url: endpoint, cloud: options } = emulator;
  const credentials = options.credentials ?? { accessKeyId: "", secretAccessKey: "" };
  const ec2 = new EC2Client({ endpoint, region: "us-east-1", credentials });
  const [first = eu, second = eu] = us;
  await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: "fleet",
      LaunchTemplateData: { ImageId: first.id },
    }),
  );
  const one = { MinCount: 1, MaxCount: 1, InstanceType: "m3.medium" as const };
  await ec2.send(new RunInstancesCommand({ ImageId: second.id, ...one }));
  const Add = [{ UserId: "210987654321" }];
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: first.id, LaunchPermission: { Add } }));
  ec2.destroy();
  before = new Map(calls().map(({ name }) => [name, emulator.calls(name)]));
});
afterAll(async () => {
  await tool[Symbol.asyncDispose]();
  await emulated[Symbol.asyncDispose]();
});

test("the images of every region are listed, and one region's failure hides no other", async () => {
  const { code, stdout, stderr } = await image("list");
  expect([code, stderr]).toEqual([0, ""]);
  const [heading, ...lines] = stdout.trim().split("\n");
  expect(heading).toMatch(/^IMAGE +REGION +CREATED +STATE +ARCH +SPEC +NAME$/);
  expect(lines.map((line) => line.slice(0, 21))).toEqual([eu, ...[...us].reverse()].map(({ id }) => id));
  emulator.fail("DescribeImages", "UnauthorizedOperation", { region: "us-east-1" });
  const partly = await image("list", "--output", "json");
  expect(partly.code).toBe(4);
  expect(partly.stderr).toContain("imgspec: no answer from us-east-1: ");
  expect(JSON.parse(partly.stdout)).toEqual({
    images: [expect.objectContaining({ imageId: eu.id, region: "eu-west-1", spec: "web" })],
    failures: [expect.objectContaining({ region: "us-east-1", code: "permission-denied" })],
  });
  const none = await image("list", "--spec", "db", "--region", "us-east-1");
  expect([none.code, none.stdout, none.stderr]).toEqual([0, "", "imgspec: no images in us-east-1\n"]);
});

test("an image is shown with its bundle, whom it is shared with and who uses it", async () => {
  const [first = eu] = us;
  const { code, stdout } = await image("show", first.id);
  expect(code).toBe(0);
  expect(stdout).toContain(`manifest     s3://${first.location}\nbundle       a manifest and 1 parts, `);
  expect(stdout).toContain("shared with  210987654321\nused by      launch template fleet (lt-");
  const json = await image("show", eu.id, "--output", "json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    imageId: eu.id,
    bundle: { hasManifest: true, parts: 1, listedParts: 1 },
    sharedWith: [],
    uses: [],
  });
});

test("what is in use is not deregistered, and nothing without a yes", async () => {
  const [first = eu, second = eu, third = eu] = us;
  const all = emulator.left();
  const used = await image("deregister", third.id, second.id, first.id, "--yes");
  expect([used.code, used.stdout]).toEqual([4, ""]);
  expect(used.stderr).toMatch(/ami-\w+ in us-east-1 is in use by instance i-\w+ \((pending|running)\)/);
  expect(used.stderr).toMatch(/in use by launch template fleet \(lt-\w+\), version 1/);
  const unasked = await image("deregister", third.id);
  expect([unasked.code, unasked.stderr]).toEqual([
    2,
    expect.stringContaining("1 image and 2 objects in S3 would go, and there is nobody to ask"),
  ]);
  const dry = await image("deregister", third.id, "--dry-run");
  expect(dry.stdout).toContain(`2 objects of s3://${third.location}`);
  const missing = await image("deregister", "ami-0123456789abcdef0", "--yes", "--region", "us-east-1");
  expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining("has no image")]);
  const taken = await image("deregister", "--bundle", `s3://${third.location}`, "--yes");
  expect([taken.code, taken.stderr]).toEqual([4, expect.stringContaining(`image ${third.id} is registered`)]);
  expect(emulator.left()).toEqual(all);
});

test.skipIf(!haveTerminal)("on a terminal the plan is shown and a question asked", async () => {
  const shell = 'exec script -qec "$*" /dev/null';
  const line = ["image", "deregister", eu.id, "--emulator", emulator.url];
  const no = await tool.run(line, { shell, input: [Buffer.from("n\n")] });
  expect([no.code, emulator.left().images.includes(eu.id)]).toEqual([0, true]);
  expect(no.stdout).toContain("Take away 1 image and 2 objects in S3? [y/N]");
  expect(no.stdout).toContain("nothing is changed");
  const yes = await tool.run(line, { shell, input: [Buffer.from("y\n")] });
  expect(yes.stdout).toContain(`${eu.id} in eu-west-1: deregistered, 2 objects deleted`);
  expect(emulator.left().objects.filter((key) => key.startsWith("acme-eu/"))).toEqual([]);
});

test("retain keeps the newest and what is in use; cut short, it is finished by what it says", async () => {
  const [first = eu, second = eu, third = eu, fourth = eu, fifth = eu] = us;
  const line = ["retain", "--spec", "web", "--region", "us-east-1", "--keep", "1"];
  const dry = await image(...line, "--dry-run");
  const lines = dry.stdout.trim().split("\n").slice(1);
  expect(lines.map((text) => text.split(/ +/).slice(0, 2))).toEqual([
    ["keep", fifth.id],
    ["retire", fourth.id],
    ["retire", third.id],
    ["keep", second.id],
    ["keep", first.id],
    ["3", "kept,"],
  ]);
  expect(lines[4]).toMatch(/in use by launch template fleet \(lt-\w+\), version 1$/);
  expect(emulator.left().images).toHaveLength(haveTerminal ? 5 : 6);

  // The parts of the fourth go, its manifest does not.
  emulator.fail("DeleteObjects", "slow:0");
  emulator.fail("DeleteObjects", "AccessDenied");
  emulator.fail("DeregisterImage", "slow:0");
  emulator.fail("DeregisterImage", "slow:1500");
  const earlier = emulator.calls("DeregisterImage");
  const command = ["image", ...line, "--yes", "--emulator", emulator.url];
  const { process: child, ended } = tool.start(command);
  while (child.exitCode === null && emulator.calls("DeregisterImage") < earlier + 2) await sleep(10);
  child.kill("SIGINT");
  const cut = await ended;
  expect(cut.code).toBe(130);
  expect(cut.stdout).toContain(`${fourth.id} in us-east-1: deregistered, its bundle is NOT deleted`);
  expect(cut.stdout).toContain(`${third.id} in us-east-1: deregistered, 2 objects deleted`);
  expect(cut.stderr).toContain(`by hand: aws s3api delete-objects --bucket acme-us`);
  const ours = emulator.left().objects.filter((key) => key.startsWith("acme-us/"));
  const whole = [first, second, fifth].flatMap(({ location }) => [
    location,
    location.replace(".manifest.xml", ".part.0"),
  ]);
  expect([...ours].sort()).toEqual([...whole, fourth.location].sort());

  const [, again = ""] = /again: imgspec (.*)/.exec(cut.stderr) ?? [];
  expect(again).toContain(`image deregister ${fourth.id} --bundle s3://${fourth.location}`);
  const finished = await tool.run([...again.split(" "), "--yes", "--emulator", emulator.url]);
  expect([finished.code, finished.stdout]).toEqual([
    0,
    `${fourth.id} in us-east-1: gone already, 1 object deleted\n`,
  ]);
  const rest = await image(...line, "--yes");
  expect([rest.code, rest.stderr]).toEqual([0, expect.stringContaining("3 kept, 0 to retire")]);
});

test("the policy in docs/images.md allows what these commands call, and no more", async () => {
  const called = calls().filter(({ name }) => emulator.calls(name) > (before.get(name) ?? 0));
  expect([...new Set(called.map(({ action }) => action))].sort()).toEqual(
    [...allowed("docs/images.md")].sort(),
  );
});

test("what a build made is found by its spec, and goes for good though the deleting failed once", async () => {
  await using cli = await newCli("quickstart");
  await using own = await newEmulated(join(cli.folder, "image.yaml"));
  const place = ["--emulator", own.url];
  expect((await cli.run("build", "image.yaml", "--quiet", ...place)).code).toBe(0);
  const { run, images } = await cli.result();
  const id = images[0]?.imageId ?? "";
  const listed = await cli.run("image", "list", "image.yaml", "-o", "json", ...place);
  expect(JSON.parse(listed.stdout)).toMatchObject({
    images: [{ imageId: id, spec: "quickstart", variant: null, run, state: "available" }],
    failures: [],
  });
  own.fail("DeleteObjects", "AccessDenied");
  const line = ["image", "deregister", id, "--yes", ...place];
  const failed = await cli.run(...line);
  expect([failed.code, own.left().images]).toEqual([8, []]);
  // EC2 has forgotten where it was; the result file of the build knows.
  const again = await cli.run(...line);
  expect([again.code, again.stdout]).toEqual([
    0,
    expect.stringContaining(`${id} in us-east-1: gone already`),
  ]);
  expect(own.left().objects).toEqual([]);
  await writeFile(join(cli.folder, "imgspec-result.json"), "no JSON");
  expect((await cli.run(...line)).code).toBe(3);
});

function image(...args: readonly string[]): ReturnType<Tool["run"]> {
  return tool.run(["image", ...args, "--emulator", emulator.url]);
}
