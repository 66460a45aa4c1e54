import { expect, test } from "vitest";
import { toDocument } from "../../src/document/document.ts";
import { merge, settle } from "../../src/document/merge.ts";
import { type Node, placeAt, toValue } from "../../src/document/node.ts";

test("maps are merged key by key; lists and single values are replaced", () => {
  const base = nodeOf("a: { x: 1, y: { p: 1, q: 2 } }\nb: [1, 2]\nc: 1\n");
  const over = nodeOf("a: { y: { q: 3, r: 4 } }\nb: [9]\nd: 5\n");
  expect(toValue(merge(base, over))).toEqual({ a: { x: 1, y: { p: 1, q: 3, r: 4 } }, b: [9], c: 1, d: 5 });
});

test("what is left of each side keeps its place in the file it came from", () => {
  const merged = merge(nodeOf("a: { x: 1 }\n", "base"), nodeOf("a:\n  y: 2\n", "over"));
  expect([["a", "x"], ["a", "y"], ["a"]].map((path) => placeAt(merged, path, "key"))).toMatchObject([
    { path: "base", line: 1, column: 6 },
    { path: "over", line: 2, column: 3 },
    { path: "over", line: 1, column: 1 },
  ]);
});

test("a list is added to in front and behind, over several documents, and lists that had nothing below are whole", () => {
  const [one, two, three] = [
    "l: { append: [b] }\nt: { append: x }\n",
    "l: { prepend: [a], append: [c] }\n",
    "l: [0]\n",
  ];
  const nodes = [one, two].map((text) => nodeOf(text));
  const added = nodes.reduce(merge);
  expect(toValue(settle(added))).toEqual({ l: ["a", "b", "c"], t: { append: "x" } });
  expect(toValue(settle(merge(nodeOf(three), added)))).toEqual({ l: ["a", 0, "b", "c"], t: { append: "x" } });
  expect(toValue(merge(added, nodeOf(three)))).toMatchObject({ l: [0] });
});

function nodeOf(content: string, path = "spec.yaml"): Node {
  const { root } = toDocument({ path, content });
  if (!root) throw new Error("nothing was read");
  return root;
}
