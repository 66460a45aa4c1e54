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
