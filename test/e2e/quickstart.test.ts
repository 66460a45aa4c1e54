import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";

test("the quickstart builds an image, launches it, and finds in it what was installed", async () => {
  await using cli = await newCli("quickstart");
  const { code, stdout, stderr } = await cli.run("build", "image.yaml", "--emulate", "--try", "greet");
  expect(stderr).toBe("");
  expect(stdout).toContain("Hello from an image of my own");
  expect(stdout).toContain("bundling on the instance: ");
  expect(code).toBe(0);

  const { outcome, images, leftBehind } = await cli.result();
  expect({ outcome, leftBehind }).toEqual({ outcome: "succeeded", leftBehind: [] });
  expect(images).toMatchObject([
    {
      region: "us-east-1",
      imageId: expect.stringMatching(/^ami-[0-9a-f]{17}$/),
      bundle: { name: "image", digest: expect.stringMatching(/^[0-9a-f]{40}$/) },
      upload: { bucket: "quickstart-images-us-east-1" },
    },
  ]);

  const line = ["plan", "image.yaml", "--try", "greet", "--diff"];
  const same = await cli.run(...line);
  expect([same.code, same.stdout]).toEqual([0, expect.stringMatching(/^nothing differs from run \S+\n$/)]);
  const other = await cli.run(...line, "--var", "greeting=Hi");
  expect(other.stdout).toContain('env.GREETING: "Hello from an image of my own" -> "Hi"');
  const none = await cli.run(...line, "--state-dir", "elsewhere");
  expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('no run of "quickstart"')]);
});

test("a trial that fails is told with what the command printed, and ends with 7", async () => {
  await using cli = await newCli("quickstart");
  const { code, stdout } = await cli.run(
    "build",
    "image.yaml",
    "--emulate",
    "--try",
    "echo no greeting; exit 3",
  );
  expect(stdout).toContain("no greeting");
  expect(stdout).toContain("exited with 3");
  expect(code).toBe(7);
});

test("events are one JSON object a line, from the start of the run to its end", async () => {
  await using cli = await newCli("quickstart");
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulate", "--output", "ndjson");
  const events = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string });
  expect(code).toBe(0);
  expect(events.at(0)?.type).toBe("run.started");
  expect(events.at(-1)?.type).toBe("run.finished");
  expect(events.filter(({ type }) => type === "task.progress").length).toBeGreaterThan(0);
});
