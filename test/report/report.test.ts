import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { chooseReporter, type OutputMode, type ReporterOptions } from "../../src/report/reporter.ts";
import { writeResult } from "../../src/report/result-file.ts";
import { newDirectory } from "../run/rig.ts";
import { showStory, withoutClock } from "./story.ts";

test.each<[OutputMode, string, boolean]>([
  ["plain", "done.plain.txt", false],
  ["plain", "failed.plain.txt", true],
  ["ndjson", "done.ndjson", false],
  ["ndjson", "failed.ndjson", true],
  ["quiet", "done.quiet.txt", false],
  ["quiet", "failed.quiet.txt", true],
])("%s shows a run as %s has it", async (output, file, fails) => {
  const { text } = await showStory(fails, { output });
  const calm = withoutClock(text).replace(/^.*(task\.progress|\d+ %).*\n/gm, "");
  await expect(calm).toMatchFileSnapshot(`golden/${file}`);
});

test("plain output tells a thousand steps of progress in a few lines, the last one always", async () => {
  const { text } = await showStory(false);
  const lines = text.split("\n").filter((line) => line.includes(" % "));
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(12);
  expect(lines.at(-1)).toContain("100 %  1.0 GiB of 1.0 GiB");
});

test("plain output tells progress again after a tenth, after five seconds, and at the end", async () => {
  const stream = new PassThrough();
  const onClosed = (): void => undefined;
  await using reporter = await chooseReporter({
    output: "plain",
    stream,
    environment: {},
    color: "auto",
    onClosed,
  });
  const percents = [0, 9, 10, 19, 20, 21, 22, 99, 100, 100];
  const times = [0, 10, 20, 30, 40, 5039, 5040, 5050, 5060, 5070];
  for (const [index, doneBytes] of percents.entries()) {
    const at = times[index] ?? 0;
    reporter.report({ type: "task.progress", task: "r/a", at, doneBytes, totalBytes: 100 });
  }
  const told = String(stream.read()).match(/\d+ %/g);
  expect(told).toEqual(["0 %", "10 %", "20 %", "22 %", "99 %", "100 %"]);
});

test("each line of ndjson is an event", async () => {
  const { text } = await showStory(true, { output: "ndjson" });
  const types = text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types[0]).toBe("run.started");
  expect(types.at(-1)).toBe("run.finished");
});

test("colours come with a terminal or on demand, and not where NO_COLOR is set", async () => {
  const paint = "\u001b[";
  const terminal = { isTTY: true };
  const shown = async (options: Partial<ReporterOptions>, isTerminal: boolean): Promise<boolean> => {
    const stream = Object.assign(new PassThrough(), isTerminal ? terminal : {});
    let text = "";
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    await showStory(true, { ...options, stream });
    return text.includes(paint);
  };
  expect(await shown({}, true)).toBe(true);
  expect(await shown({}, false)).toBe(false);
  expect(await shown({ environment: { NO_COLOR: "1" } }, true)).toBe(false);
  expect(await shown({ color: "always" }, false)).toBe(true);
  expect(await shown({ color: "never" }, true)).toBe(false);
});

test.each<[string, Readonly<Record<string, string>>, boolean, string]>([
  ["a terminal gets the tree", {}, true, "TreeReporter"],
  ["a pipe gets lines", {}, false, "PlainReporter"],
  ["CI gets lines, though it looks like a terminal", { CI: "true" }, true, "PlainReporter"],
  ["a terminal that cannot move its cursor gets lines", { TERM: "dumb" }, true, "PlainReporter"],
])("%s", async (_title, environment, isTTY, name) => {
  const stream = Object.assign(new PassThrough(), { isTTY });
  const onClosed = (): void => undefined;
  await using reporter = await chooseReporter({
    output: "auto",
    stream,
    environment,
    color: "auto",
    onClosed,
  });
  expect(reporter.constructor.name).toBe(name);
});

test("the result of a failed run says what failed, what exists and how far it came", async () => {
  const { result } = await showStory(true);
  expect(result).toMatchObject({ outcome: "failed", exitCode: 5, spec: "web.yaml", schema: 1 });
  expect(result.tasks.map(({ status }) => status)).toEqual([
    "succeeded",
    "failed",
    "skipped",
    "skipped",
    "skipped",
  ]);
  expect(result.images).toEqual([
    {
      region: "us-east-1",
      variant: null,
      outcome: "failed",
      imageId: null,
      name: null,
      source: null,
      launch: { instanceId: "i-1", instanceType: "m3.medium" },
      bundle: null,
      upload: null,
      boot: null,
      publish: null,
    },
  ]);
  expect(result.leftBehind).toMatchObject([{ byHand: "rm security group sg-1", task: "us-east-1/launch" }]);
});

test("the result file is written whole or not at all", async () => {
  await using directory = await newDirectory();
  const { result } = await showStory(false);
  const path = join(directory.path, "imgspec-result.json");
  await writeResult(path, result);
  expect(JSON.parse(await readFile(path, "utf8"))).toEqual(result);
  await mkdir(join(directory.path, "taken"));
  await expect(writeResult(join(directory.path, "taken"), result)).rejects.toMatchObject({ name: "Problem" });
  expect((await readdir(directory.path)).sort()).toEqual(["imgspec-result.json", "taken"]);
});
