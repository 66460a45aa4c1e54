import { settle } from "../document/merge.ts";
import { type Entry, isNull, type MapNode, type Node, nodeAt, withEntry } from "../document/node.ts";
import { layer, sections } from "./layer.ts";

/** The sections of one region, with short forms written out: its own laid over its presets and the common ones. */
export function toRegionNode(root: MapNode, region: string | undefined): Node {
  const common = [...root.entries].filter(([key]) => sections.includes(key)).map(withEmptySection);
  const base: MapNode = { kind: "map", place: root.place, entries: new Map(common) };
  const written = region === undefined ? undefined : nodeAt(root, ["regions", region]);
  const layers = written?.kind === "map" ? [...presetsOf(root, written), written] : [];
  const merged = layers.map(withOwnKeys).reduce(layer, base);
  // What is missing in an image is missing in the spec as a whole, so it is told there, and once.
  return withLongSteps(settle({ ...merged, place: root.place }));
}

/** The names of the presets that a region builds on, in their order, with their places in the region's map. */
export function presetNamesOf(
  region: Node | undefined,
): readonly { readonly name: string; readonly at: readonly (string | number)[] }[] {
  const node = region && nodeAt(region, ["preset"]);
  const items = node?.kind === "list" ? node.items : [node];
  return items.flatMap((item, index) =>
    item?.kind === "scalar" && typeof item.value === "string"
      ? [{ name: item.value, at: node?.kind === "list" ? ["preset", index] : ["preset"] }]
      : [],
  );
}

function presetsOf(root: MapNode, region: MapNode): readonly MapNode[] {
  return presetNamesOf(region).flatMap(({ name }) => {
    const preset = nodeAt(root, ["presets", name]);
    return preset?.kind === "map" ? [preset] : [];
  });
}

function withOwnKeys(map: MapNode): MapNode {
  return {
    ...map,
    entries: new Map([...map.entries].filter(([key]) => key === "profile" || sections.includes(key))),
  };
}

/** A section of which every line is a comment is a section with nothing in it. */
function withEmptySection([key, entry]: [string, Entry]): [string, Entry] {
  if (!isNull(entry.node)) return [key, entry];
  const { place } = entry.node;
  const node: Node =
    key === "provision" ? { kind: "list", place, items: [] } : { kind: "map", place, entries: new Map() };
  return [key, { ...entry, node }];
}

const shorthands: ReadonlyMap<string, string> = new Map([
  ["shell", "file"],
  ["local", "command"],
  ["ansible", "playbook"],
]);

/** `shell: path` is short for `shell: { file: path }`, `local: command` for `local: { command: … }`, and so on. */
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
