import { merge } from "../document/merge.ts";
import { type Entry, isNull, type ListNode, type MapNode, nodeAt, withEntry } from "../document/node.ts";

/** The sections that each region has its own of. */
export const sections: readonly string[] = [
  "source",
  "launch",
  "connect",
  "provision",
  "bundle",
  "certificate",
  "upload",
  "register",
  "verify",
  "publish",
];

/** What says nothing when nothing stands below it. */
const wholes = [...sections, "variables", "env", "matrix", "presets", "regions"];

/** Maps of whole sets of sections. */
const families = ["presets", "regions"];

/**
 * Lays one set of sections over another, or a whole spec over the one that it extends. A section of which every line is
 * a comment says nothing.
 */
export function layer(base: MapNode, over: MapNode): MapNode {
  const said = [...over.entries].filter(([key, { node }]) => !(wholes.includes(key) && isNull(node)));
  const spoken: MapNode = { ...over, entries: new Map(said) };
  const merged = merge(withoutOtherSource(base, spoken), spoken);
  if (merged.kind !== "map") throw new Error("two maps make a map");
  const whole = withPluginsOf(merged, base, over);
  return families.reduce((map, family) => withFamily(map, family, base, over), whole);
}

/** Both have steps of the plugins that they name, so both lists count. */
function withPluginsOf(merged: MapNode, base: MapNode, over: MapNode): MapNode {
  const [below, above] = [nodeAt(base, ["plugins"]), over.entries.get("plugins")];
  if (below?.kind !== "list" || above?.node.kind !== "list") return merged;
  const node: ListNode = { ...above.node, items: [...below.items, ...above.node.items] };
  return withEntry(merged, "plugins", { ...above, node });
}

/** A set of sections in both is laid over the other by the same rules. */
function withFamily(merged: MapNode, family: string, base: MapNode, over: MapNode): MapNode {
  const [below, above] = [nodeAt(base, [family]), over.entries.get(family)];
  if (below?.kind !== "map" || above?.node.kind !== "map") return merged;
  const entries = new Map<string, Entry>(below.entries);
  for (const [name, entry] of above.node.entries) {
    const other = below.entries.get(name)?.node;
    const isBoth = other?.kind === "map" && entry.node.kind === "map";
    // A region with nothing of its own is still what the other file says of it.
    if (isBoth) entries.set(name, { ...entry, node: layer(other, entry.node as MapNode) });
    else entries.set(name, other && isNull(entry.node) ? { ...entry, node: other } : entry);
  }
  return withEntry(merged, family, { ...above, node: { ...above.node, entries } });
}

/** Who names an image does not want the search below, and the other way round. */
function withoutOtherSource(base: MapNode, own: MapNode): MapNode {
  const source = base.entries.get("source");
  const over = nodeAt(own, ["source"]);
  if (source?.node.kind !== "map" || over?.kind !== "map") return base;
  const [has, hasOther] = [over.entries.has("image"), over.entries.has("find")];
  if (has === hasOther) return base;
  const kept = [...source.node.entries].filter(([key]) => key !== (has ? "find" : "image"));
  return withEntry(base, "source", { ...source, node: { ...source.node, entries: new Map(kept) } });
}
