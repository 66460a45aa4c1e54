import type { Entry, Node } from "./node.ts";

/** Lays one document over another: maps are merged key by key, everything else is replaced. Places stay. */
export function merge(base: Node, over: Node): Node {
  if (base.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map<string, Entry>(base.entries);
  for (const [key, entry] of over.entries) {
    const below = base.entries.get(key);
    entries.set(key, below ? { ...entry, node: merge(below.node, entry.node) } : entry);
  }
  return { kind: "map", place: over.place, entries };
}
