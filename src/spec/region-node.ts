import { merge } from "../document/merge.ts";
import { type Entry, type MapNode, type Node, nodeAt } from "../document/node.ts";

const perImage = [
  ...["source", "launch", "connect", "provision", "bundle", "certificate", "upload", "register", "verify"],
];

/** The sections of one region, with short forms written out: its own laid over the common ones, or these alone. */
export function toRegionNode(root: MapNode, region: string | undefined): Node {
  const common = [...root.entries].filter(([key]) => perImage.includes(key)).map(withEmptySection);
  const base: MapNode = { kind: "map", place: root.place, entries: new Map(common) };
  const written = region === undefined ? undefined : nodeAt(root, ["regions", region]);
  if (written?.kind !== "map") return withLongSteps(base);
  const overrides = [...written.entries].filter(([key, { node }]) => isOwn(key) && !isNull(node));
  const own: MapNode = { ...written, entries: new Map(overrides) };
  const merged = merge(withoutOtherSource(base, own), own);
  // What is missing in an image is missing in the spec as a whole, so it is told there, and once.
  return withLongSteps({ ...merged, place: root.place });
}

function isOwn(key: string): boolean {
  return key === "profile" || perImage.includes(key);
}

function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** A section of which every line is a comment is a section with nothing in it. */
function withEmptySection([key, entry]: [string, Entry]): [string, Entry] {
  if (!isNull(entry.node)) return [key, entry];
  const { place } = entry.node;
  const node: Node =
    key === "provision" ? { kind: "list", place, items: [] } : { kind: "map", place, entries: new Map() };
  return [key, { ...entry, node }];
}

/** A region that names an image does not want the common search, and the other way round. */
function withoutOtherSource(base: MapNode, own: MapNode): MapNode {
  const source = base.entries.get("source");
  const over = nodeAt(own, ["source"]);
  if (source?.node.kind !== "map" || over?.kind !== "map") return base;
  const [has, hasOther] = [over.entries.has("image"), over.entries.has("find")];
  if (has === hasOther) return base;
  const kept = [...source.node.entries].filter(([key]) => key !== (has ? "find" : "image"));
  return withEntry(base, "source", { ...source, node: { ...source.node, entries: new Map(kept) } });
}

const shorthands: ReadonlyMap<string, string> = new Map([
  ["shell", "file"],
  ["local", "command"],
]);

/** `shell: path` is short for `shell: { file: path }`, and `local: command` for `local: { command: … }`. */
function withLongSteps(image: Node): Node {
  if (image.kind !== "map") return image;
  const whole = withLongList(image, "provision");
  const verify = whole.entries.get("verify");
  if (verify?.node.kind !== "map") return whole;
  return withEntry(whole, "verify", { ...verify, node: withLongList(verify.node, "tests") });
}

function withLongList(map: MapNode, key: string): MapNode {
  const list = map.entries.get(key);
  if (list?.node.kind !== "list") return map;
  return withEntry(map, key, { ...list, node: { ...list.node, items: list.node.items.map(toLongStep) } });
}

function toLongStep(step: Node): Node {
  if (step.kind !== "map") return step;
  const entries = [...step.entries].map(([kind, entry]): [string, Entry] => {
    const key = shorthands.get(kind);
    if (key === undefined || entry.node.kind !== "scalar" || typeof entry.node.value !== "string")
      return [kind, entry];
    const inner: Entry = { keyPlace: entry.node.place, node: entry.node };
    return [
      kind,
      { ...entry, node: { kind: "map", place: entry.node.place, entries: new Map([[key, inner]]) } },
    ];
  });
  return { ...step, entries: new Map(entries) };
}

function withEntry(map: MapNode, key: string, entry: Entry): MapNode {
  return { ...map, entries: new Map(map.entries).set(key, entry) };
}
