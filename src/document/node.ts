import type { Place } from "../diagnostic.ts";

/** Keys and indexes from the root of a document to a value. */
export type Path = readonly (string | number)[];

export type Scalar = null | boolean | number | string;

/**
 * A value and where it stands. Every later step (merging regions, evaluating expressions) makes nodes from nodes,
 * so that whatever is found wrong in the end still has its place in the file.
 */
export type Node = ScalarNode | ListNode | MapNode;

export type ScalarNode = {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: Scalar;
  /** How it is written in the file, quotes and all; only where something may be found wrong inside of it. */
  readonly raw?: string;
  /** An expression in it failed: told already, and nothing more can be said of the value. */
  readonly broken?: true;
  /** The name under which `Spec.secrets` holds the value, which is then not here; and what is written in its stead. */
  readonly secret?: { readonly name: string; readonly written: string };
};

export type ListNode = { readonly kind: "list"; readonly place: Place; readonly items: readonly Node[] };

export type MapNode = {
  readonly kind: "map";
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
  /** The expression that it is laid over: what that gives is merged with it once it is known. */
  readonly under?: ScalarNode;
};

export type Entry = { readonly keyPlace: Place; readonly node: Node };

export type PlainValue = Scalar | PlainValue[] | { [key: string]: PlainValue };

/** The value without its places. Fresh objects each time, free to be changed. */
export function toValue(node: Node): PlainValue {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(toValue);
  // A null prototype, so that a key named __proto__ is a key like any other.
  const object: { [key: string]: PlainValue } = Object.create(null);
  for (const [key, { node: inner }] of node.entries) object[key] = toValue(inner);
  return object;
}

export function isNull(node: Node): boolean {
  return node.kind === "scalar" && node.value === null;
}

/** Whether an expression below a node failed. */
export function hasBroken(node: Node): boolean {
  if (node.kind === "scalar") return node.broken === true;
  if (node.kind === "list") return node.items.some(hasBroken);
  return [...node.entries.values()].some((entry) => hasBroken(entry.node));
}

/** A map with one entry set or replaced. */
export function withEntry(map: MapNode, key: string, entry: Entry): MapNode {
  return { ...map, entries: new Map(map.entries).set(key, entry) };
}

function childOf(node: Node, step: string | number): Node | undefined {
  if (node.kind === "map") return node.entries.get(String(step))?.node;
  if (node.kind === "list") return node.items[Number(step)];
  return undefined;
}

/** The node at a path, or `undefined` where the document has none. */
export function nodeAt(root: Node, path: Path): Node | undefined {
  let node: Node | undefined = root;
  for (const step of path) node = node && childOf(node, step);
  return node;
}

/**
 * Where to point for a path: at the value, or at the key that leads to it. For a path that the document does not
 * have, at the key of the nearest thing around it.
 */
export function placeAt(root: Node, path: Path, what: "key" | "value"): Place {
  let place = root.place;
  let node: Node = root;
  for (const [index, step] of path.entries()) {
    const key = node.kind === "map" ? node.entries.get(String(step))?.keyPlace : undefined;
    const child = childOf(node, step);
    if (!child) return place;
    const last = index === path.length - 1;
    place = key && !(last && what === "value") ? key : child.place;
    node = child;
  }
  return place;
}

/** Every scalar below a node, with its path. */
export function* scalarsOf(node: Node, path: Path = []): Generator<[ScalarNode, Path], void, undefined> {
  if (node.kind === "scalar") yield [node, path];
  else if (node.kind === "list") {
    for (const [index, item] of node.items.entries()) yield* scalarsOf(item, [...path, index]);
  } else {
    for (const [key, { node: inner }] of node.entries) yield* scalarsOf(inner, [...path, key]);
  }
}
