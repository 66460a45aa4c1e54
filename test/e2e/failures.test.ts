import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";

test("a script that exits with 7 is named, its last lines are shown, and everything is cleaned", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  await appendFile(join(cli.folder, "install-greeting.sh"), "echo this is the end\nexit 7\n");
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(code).toBe(5);
  expect(stdout).toContain("install-greeting.sh");
  expect(stdout).toContain("exited with 7");
  expect(stdout).toContain("this is the end");
  const left = emulator.left();
  expect([left.instances, left.keyPairs, left.securityGroups]).toEqual([[], [], []]);
});

test("a denied call is found by the preflight, with the IAM action, and nothing is created", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.deny("s3:PutObjectAcl");
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(code).toBe(4);
  expect(stdout).toContain("s3:PutObjectAcl");
  expect(emulator.calls("RunInstances")).toBe(0);
  expect(emulator.calls("ImportKeyPair")).toBe(0);
});

test("a bucket that is not there is told before anything is created", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  await rewrite(cli.folder, (text) => text.replace("quickstart-images", "nobody-has-this"));
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(code).toBe(4);
  expect(stdout).toContain("nobody-has-this-us-east-1");
  expect(emulator.calls("RunInstances")).toBe(0);
});

test("when EC2 has no room for the first instance type, the next one is taken", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.fail("RunInstances", "InsufficientInstanceCapacity", { times: 1 });
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(stdout).toContain("no room for m3.medium");
  expect(stdout).toContain("(m3.large)");
  expect(code).toBe(0);
});

test("throttling, a 500 and a cut connection are got over", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.fail("DescribeInstances", "RequestLimitExceeded", { times: 1 });
  emulator.fail("PutObject", "500", { times: 1 });
  emulator.fail("RegisterImage", "cut", { times: 1 });
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(stdout).toContain("ami-");
  expect(code).toBe(0);
});

test("with --on-failure keep the instance stays, and clean gives it back", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  await appendFile(join(cli.folder, "install-greeting.sh"), "exit 7\n");
  const url = emulator.url;
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", url, "--on-failure", "keep");
  expect(code).toBe(5);
  expect(stdout).toMatch(/aws --endpoint-url \S+ ec2 terminate-instances --instance-ids i-/);
  expect(emulator.left().instances).toHaveLength(1);
  const { run } = await cli.result();
  expect((await cli.run("clean", run)).code).toBe(0);
  expect(emulator.left().instances).toEqual([]);
});

test("a result that cannot be written is told before anything is created", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  const { code, stderr } = await cli.run(
    "build",
    "image.yaml",
    "--emulator",
    emulator.url,
    "--result",
    "no/r.json",
  );
  expect(code).toBe(2);
  expect(stderr).toContain("--result");
  expect(emulator.calls("GetCallerIdentity")).toBe(0);
});

test("keeping things in an emulator that ends with the build is refused", async () => {
  await using cli = await newCli("quickstart");
  const { code, stderr } = await cli.run("build", "image.yaml", "--emulate", "--on-failure", "keep");
  expect(code).toBe(2);
  expect(stderr).toContain("imgspec emulator start");
});

test("a permission to launch that is missing is told before anything is created", async () => {
  await using cli = await newCli("quickstart");
  await using emulator = await newEmulated(join(cli.folder, "image.yaml"));
  emulator.deny("ec2:RunInstances");
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", emulator.url);
  expect(stdout).toContain("ec2:RunInstances");
  expect(code).toBe(4);
  expect(emulator.calls("ImportKeyPair")).toBe(0);
});

async function rewrite(folder: string, change: (text: string) => string): Promise<void> {
  const path = join(folder, "image.yaml");
  await writeFile(path, change(await readFile(path, "utf8")));
}
