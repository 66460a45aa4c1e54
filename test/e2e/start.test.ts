import { spawn } from "node:child_process";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { newTool } from "../help/tool.ts";

test("the help that is printed ahead is that of the table of commands", async () => {
  await using tool = await newTool();
  const made = await tool.run(["help"]);
  expect([made.code, made.stdout.split("\n")[0]]).toEqual([0, "Usage: imgspec [options] [command]"]);
  expect(await tool.run(["--help"])).toEqual(made);
  expect(await tool.run(["-h"])).toEqual(made);
});

test("a command that is misspelled is told with the one that is meant", async () => {
  await using tool = await newTool();
  const { code, stderr } = await tool.run(["valdate", "image.yaml"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("(Did you mean validate?)")]);
});

test.each([["--help"], ["build", "--help"], ["schema"]])(
  "a reader who has seen enough of it is no error (%s)",
  async (...words) => {
    const child = spawn(process.execPath, ["dist/bin.cjs", ...words], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect([code, said]).toEqual([0, ""]);
  },
);

test("what is printed reaches a reader that takes its time", async () => {
  const words = ["-c", `'${process.execPath}' dist/bin.cjs schema | { sleep 1; wc -c; }`];
  const child = spawn("/bin/sh", words, { stdio: ["ignore", "pipe", "inherit"] });
  const [told, schema] = await Promise.all([text(child.stdout), stat("schemas/imgspec.v1.schema.json")]);
  expect(Number(told)).toBe(schema.size);
});
