import {
  type Entry,
  isNull,
  type ListNode,
  type MapNode,
  type Node,
  type ScalarNode,
  withEntry,
} from "./node.ts";

/**
 * Lays one document over another: maps are merged key by key, everything else is replaced. A map `{ prepend, append }`
 * of lists adds to the list below it. A map over an expression waits for what that gives. Places stay.
 */
export function merge(base: Node, over: Node): Node {
  const added = additionsOf(over);
  if (added) return isNull(base) ? over : withAdditions(base, over, added);
  if (over.kind === "map" && base.kind === "scalar" && isExpression(base)) return { ...over, under: base };
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key);
    entries.set(key, below ? { ...entry, node: merge(below.node, entry.node) } : entry);
  }
  const { under } = over.under ? over : base;
  return { kind: "map", place: over.place, entries, ...(under ? { under } : {}) };
}

function isExpression({ value }: ScalarNode): boolean {
  return typeof value === "string" && value.includes("${{");
}

/** Makes lists of the additions that had nothing below them. Gives the node itself where there are none. */
export function settle(node: Node): Node {
  if (node.kind === "scalar") return node;
  if (node.kind === "list") {
    const items = node.items.map(settle);
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  const added = additionsOf(node);
  if (added) return settle({ kind: "list", place: node.place, items: [...added.prepend, ...added.append] });
  const settled = [...node.entries].flatMap(([key, entry]): [string, Entry][] => {
    const inner = settle(entry.node);
    return inner === entry.node ? [] : [[key, { ...entry, node: inner }]];
  });
  return settled.length === 0 ? node : { ...node, entries: new Map([...node.entries, ...settled]) };
}

type Additions = { readonly prepend: readonly Node[]; readonly append: readonly Node[] };

function withAdditions(base: Node, over: Node, { prepend, append }: Additions): Node {
  if (base.kind === "list")
    return { kind: "list", place: over.place, items: [...prepend, ...base.items, ...append] };
  const below = additionsOf(base);
  // Nothing can be added to what an expression will give: then it stays a map, and is refused as such.
  if (!below) return over.kind === "map" ? withEntry(over, "to", { keyPlace: base.place, node: base }) : over;
  return toAdditions(over, {
    prepend: [...prepend, ...below.prepend],
    append: [...below.append, ...append],
  });
}

const words = ["prepend", "append"] as const;

/** What a map adds to a list, or `undefined` where it is a map like any other. */
function additionsOf(node: Node): Additions | undefined {
  if (node.kind !== "map" || node.entries.size === 0) return undefined;
  const isAddition = [...node.entries].every(
    ([key, entry]) => words.some((word) => word === key) && entry.node.kind === "list",
  );
  if (!isAddition) return undefined;
  const itemsOf = (word: string): readonly Node[] => {
    const list = node.entries.get(word)?.node;
    return list?.kind === "list" ? list.items : [];
  };
  return { prepend: itemsOf("prepend"), append: itemsOf("append") };
}

function toAdditions({ place }: Node, added: Additions): MapNode {
  const toEntry = (items: readonly Node[]): Entry => {
    const node: ListNode = { kind: "list", place, items };
    return { keyPlace: place, node };
  };
  return { kind: "map", place, entries: new Map(words.map((word) => [word, toEntry(added[word])])) };
}
