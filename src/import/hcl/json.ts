import { toDocument } from "../../document/document.ts";
import type { Entry, MapNode, Node } from "../../document/node.ts";
import type { Text } from "../../document/text.ts";
import { Problem } from "../../problem.ts";
import { Cursor } from "./cursor.ts";
import { readExpression, readText } from "./expression.ts";
import type { Attribute, Block, Body, Expression } from "./syntax.ts";

/** Blocks by their types, with how many labels each has. What else a map holds are attributes. */
type Kinds = Readonly<Record<string, number>>;

/** JSON does not show what is a block: Packer's own blocks are known by their names. */
const templateKinds: Kinds = { variable: 1, locals: 0, local: 1, source: 2, data: 2, build: 0, packer: 0 };
const innerKinds: Readonly<Record<string, Kinds>> = {
  variable: { validation: 0 },
  build: {
    source: 1,
    provisioner: 1,
    "error-cleanup-provisioner": 1,
    "post-processor": 1,
    "post-processors": 0,
  },
  "post-processors": { "post-processor": 1 },
};

/**
 * Parses HCL2's JSON syntax (https://github.com/hashicorp/hcl/blob/main/json/spec.md): a template, or a file of variables.
 * Throws `spec-invalid`, with its places, for what is neither.
 */
export function parseHclJson(text: Text): Body {
  const { root, diagnostics } = toDocument(text);
  if (root?.kind !== "map")
    throw new Problem("spec-invalid", `"${text.path}" is no JSON that Packer reads`, { diagnostics });
  return toBody(root, text.path.endsWith(".pkr.json") ? templateKinds : {}, "");
}

function toBody(map: MapNode, kinds: Kinds, type: string): Body {
  // A key of slashes is a comment.
  const entries = [...map.entries].filter(([key]) => key !== "//");
  return {
    attributes: entries
      .filter(([key]) => !Object.hasOwn(kinds, key))
      .map(([name, entry]) => toAttribute(name, entry, type)),
    blocks: entries.flatMap(([key, { keyPlace, node }]) =>
      Object.hasOwn(kinds, key) ? toBlocks(key, [], kinds[key] ?? 0, { keyPlace, node }) : [],
    ),
  };
}

/** Each label is a map around the block, and each map may stand in a list. */
function toBlocks(
  type: string,
  labels: readonly string[],
  missing: number,
  { keyPlace, node }: Entry,
): readonly Block[] {
  if (node.kind === "list")
    return node.items.flatMap((item) => toBlocks(type, labels, missing, { keyPlace, node: item }));
  if (node.kind !== "map")
    return new Cursor({ path: node.place.path, content: "" }, node.place).fail(
      `${type} is a block: a map was expected`,
    );
  if (missing === 0)
    return [{ type, labels, place: keyPlace, body: toBody(node, innerKinds[type] ?? {}, type) }];
  return [...node.entries]
    .filter(([key]) => key !== "//")
    .flatMap(([label, entry]) => toBlocks(type, [...labels, label], missing - 1, entry));
}

function toAttribute(name: string, { keyPlace, node }: Entry, block: string): Attribute {
  // The type of a variable is written as a text, and none.
  const isBare = block === "variable" && name === "type" && node.kind === "scalar";
  const value = isBare ? readExpression(cursorOf(String(node.value), node)) : toExpression(node);
  return { name, place: keyPlace, value };
}

function toExpression(node: Node): Expression {
  const { place } = node;
  if (node.kind === "list") return { kind: "list", place, items: node.items.map(toExpression) };
  if (node.kind === "scalar")
    return typeof node.value === "string"
      ? readText(cursorOf(node.value, node))
      : { kind: "literal", place, value: node.value };
  const entries = [...node.entries].map(([name, { keyPlace, node: inner }]) => ({
    key: { kind: "name", place: keyPlace, name } as const,
    value: toExpression(inner),
  }));
  return { kind: "object", place, entries };
}

function cursorOf(content: string, { place }: Node): Cursor {
  return new Cursor({ path: place.path, content }, place);
}
