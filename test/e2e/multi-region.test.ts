import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";

test("one spec becomes an image in each of the three partitions, wrapped for its own key", async () => {
  await using cli = await newCli("multi-region");
  const check = "grep -q region= /etc/web-base/release && cat /etc/web-base/release";
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulate", "--try", check);
  expect(stdout).toContain("key wrapped for commercial");
  expect(stdout).toContain("key wrapped for gov");
  expect(stdout).toContain("key wrapped for cn-north-1");
  expect(stdout).toContain("mirror=https://mirror.amazonaws.com.cn/");
  expect(code).toBe(0);
  const { images } = await cli.result();
  expect(images.map(({ region, outcome }) => `${region} ${outcome}`)).toEqual([
    "us-east-1 succeeded",
    "us-gov-west-1 succeeded",
    "cn-north-1 succeeded",
  ]);
});

test("with the wrong certificate variant forced, that region alone fails, and says why", async () => {
  await using cli = await newCli("multi-region");
  const path = join(cli.folder, "image.yaml");
  const text = await readFile(path, "utf8");
  const forced = "  cn-north-1:\n    certificate: { ec2: commercial, allowMismatch: true }\n";
  await writeFile(path, text.replace("  cn-north-1:\n", forced));

  const { code, stdout } = await cli.run("build", "image.yaml", "--emulate");
  expect(code).toBe(7);
  expect(stdout).toContain(
    "EC2 in cn-north-1 cannot open the bundle: its key is wrapped for commercial, and cn-north-1 holds the cn-north-1 key",
  );
  const { images, failures, leftBehind } = await cli.result();
  expect(images.map(({ region, imageId }) => [region, imageId !== null])).toEqual([
    ["us-east-1", true],
    ["us-gov-west-1", true],
    ["cn-north-1", false],
  ]);
  expect(failures.map(({ task }) => task)).toEqual(["cn-north-1/register"]);
  expect(leftBehind).toEqual([]);
});

test("without allowMismatch the wrong variant is a mistake in the spec, and nothing is created", async () => {
  await using cli = await newCli("multi-region");
  const path = join(cli.folder, "image.yaml");
  const text = await readFile(path, "utf8");
  await writeFile(
    path,
    text.replace("  cn-north-1:\n", "  cn-north-1:\n    certificate: { ec2: commercial }\n"),
  );
  const { code, stderr } = await cli.run("build", "image.yaml", "--emulate");
  expect(code).toBe(3);
  expect(stderr).toContain("allowMismatch");
});
