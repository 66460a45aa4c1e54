import type { Command } from "commander";
import { expect, test } from "vitest";
import { toProgram } from "../../src/cli.ts";
import { blocks } from "./pages.ts";

const lines = ["sh", "yml"].flatMap(blocks).flatMap(({ text, place }) =>
  text
    .replaceAll("\\\n", " ")
    .split("\n")
    // In a file of a CI system it stands behind a key, or in a loop of the shell.
    .map((line) => line.replace(/^.*(?:npx|; do) (?=imgspec )/, "").trim())
    .filter((line) => line.startsWith("imgspec "))
    .map((line) => ({ line, place })),
);

test("there are commands in the pages", () => {
  expect(lines.length).toBeGreaterThan(20);
});

test.each(lines)("$place: $line", ({ line }) => {
  const [, ...words] = toWords(line);
  const { command, rest } = find(
    toProgram(() => undefined),
    words,
  );
  const { operands, unknown } = command.parseOptions([...rest]);
  const taken = command.registeredArguments;
  expect(unknown).toEqual([]);
  const most = taken.some(({ variadic }) => variadic) ? operands.length : taken.length;
  expect(operands.length).toBeLessThanOrEqual(most);
  expect(operands.length).toBeGreaterThanOrEqual(taken.filter(({ required }) => required).length);
});

function find(command: Command, words: readonly string[]): { command: Command; rest: readonly string[] } {
  const inner = command.commands.find((candidate) => candidate.name() === words[0]);
  if (inner) return find(inner, words.slice(1));
  if (command.commands.length > 0 && !words[0]?.startsWith("-")) throw new Error(`no command ${words[0]}`);
  return { command, rest: words };
}

/** The words of a shell line up to a comment, a pipe or a redirection. */
function toWords(line: string): readonly string[] {
  const [simple = ""] = line.split(/ [|<>#&]|; done/);
  return (simple.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []).map((word) => word.replaceAll(/['"]/g, ""));
}
