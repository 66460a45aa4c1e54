import { type MapNode, type Node, nodeAt, type Path, scalarsOf } from "../document/node.ts";
import type { Refusal } from "./check.ts";

/** Expressions where only literal values may stand: in what expressions are made of, and in keys. */
export function* misplacedExpressions(root: MapNode): Iterable<Refusal> {
  for (const section of ["imgspec", "name", "variables", "env", "matrix", "plugins"]) {
    const node = nodeAt(root, [section]);
    if (!node) continue;
    for (const [{ value }, at] of scalarsOf(node, [section])) {
      if (typeof value === "string" && value.includes("${{")) yield toFinding(at, section);
    }
  }
  yield* inKeys(root, []);
}

function* inKeys(node: Node, path: Path): Iterable<Refusal> {
  if (node.kind === "list")
    for (const [index, item] of node.items.entries()) yield* inKeys(item, [...path, index]);
  if (node.kind !== "map") return;
  for (const [key, { node: inner }] of node.entries) {
    const at = [...path, key];
    if (key.includes("${{")) yield { ...toFinding(at, "a key"), on: "key" };
    yield* inKeys(inner, at);
  }
}

function toFinding(at: Path, where: string): Refusal {
  return {
    code: "expression-misplaced",
    at,
    message: `${where} cannot hold expressions`,
    hint: "write the value itself",
  };
}
