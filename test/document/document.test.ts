import { expect, test } from "vitest";
import { toDocument } from "../../src/document/document.ts";
import { nodeAt, type Path, placeAt, toValue } from "../../src/document/node.ts";

test("every value and every key has its place", () => {
  const content = 'name: web\nlaunch:\n  instanceTypes: [m3.medium, "m3.large"]\n';
  expect(placeOf(content, ["name"], "value")).toBe("1:7-1:10");
  expect(placeOf(content, ["name"], "key")).toBe("1:1-1:5");
  expect(placeOf(content, ["launch", "instanceTypes", 1], "value")).toBe("3:30-3:40");
  expect(placeOf(content, ["launch", "instanceTypes"], "key")).toBe("3:3-3:16");
});

test("what the document does not have is placed at the key of what it would be in", () => {
  expect(placeOf("a: 1\nlaunch:\n  tags: {}\n", ["launch", "tags", "x", "y"], "value")).toBe("3:3-3:7");
  expect(placeOf("a: 1\n", ["upload", "bucket"], "key")).toBe("1:1-2:1");
});

test("an alias has the value of its anchor, and of the last one before it", () => {
  expect(plainOf("a: &x 1\nb: *x\nc: &x { d: 2 }\ne: *x\n")).toEqual({
    a: 1,
    b: 1,
    c: { d: 2 },
    e: { d: 2 },
  });
});

test("a key is the text that stands in the file, and __proto__ is a key like any other", () => {
  const value = plainOf("1: a\n0x10: b\n__proto__: { c: d }\n");
  expect(Object.entries(value as object)).toEqual([
    ["1", "a"],
    ["0x10", "b"],
    ["__proto__", expect.objectContaining({ c: "d" })],
  ]);
  expect(Object.hasOwn({}, "c")).toBe(false);
});

test("aliases of aliases are counted as what they stand for, and refused", () => {
  const lines = Array.from({ length: 12 }, (_, index) => {
    const before = index === 0 ? "x" : `*a${index - 1}`;
    return `a${index}: &a${index} [${Array(10).fill(before).join(", ")}]`;
  });
  expect(codesOf(lines.join("\n"))).toEqual(["yaml-too-complex the file stands for too many values"]);
});

test("an alias inside of what it names, and brackets without end, are nested too deeply", () => {
  expect(codesOf("a: &a [*a]")).toEqual(["yaml-too-complex the file is nested too deeply"]);
  expect(codesOf("[".repeat(20_000))).toEqual(["yaml-too-complex the file is nested too deeply"]);
  expect(codesOf("- ".repeat(20_000))).toEqual(["yaml-too-complex the file is nested too deeply"]);
});

test("a file with a mistake on every line is told of, but not of all of them", () => {
  expect(codesOf('a: "\n'.repeat(1000))).toHaveLength(50);
});

test("an empty file and a file of comments hold nothing", () => {
  expect(["", "\n\n", "# later\n", "---\n"].map(codesOf)).toEqual(
    Array(4).fill(["document-empty the file is empty"]),
  );
});

function read(content: string): ReturnType<typeof toDocument> {
  return toDocument({ path: "spec.yaml", content });
}

function codesOf(content: string): string[] {
  return read(content).diagnostics.map(({ code, message }) => `${code} ${message}`);
}

function plainOf(content: string): unknown {
  const { root } = read(content);
  return root && toValue(root);
}

function placeOf(content: string, path: Path, what: "key" | "value"): string {
  const { root } = read(content);
  if (!root || nodeAt(root, []) !== root) throw new Error("nothing was read");
  const { line, column, endLine, endColumn } = placeAt(root, path, what);
  return `${line}:${column}-${endLine}:${endColumn}`;
}
