import type { Diagnostic, Place } from "../diagnostic.ts";
import type { MapNode, Node, ScalarNode } from "../document/node.ts";
import type { Leftovers } from "./leftovers.ts";

/** A template of Packer, in whichever of its two languages it was written. */
export type Template = {
  readonly path: string;
  readonly description: string | undefined;
  readonly variables: ReadonlyMap<string, TemplateVariable>;
  readonly builders: readonly Builder[];
  readonly leftovers: Leftovers;
  /** Why a value has no translation, for the nodes that are `broken`. */
  readonly reasons: ReadonlyMap<ScalarNode, string>;
};

export type TemplateVariable = {
  readonly place: Place;
  readonly default: Node | undefined;
  /** The environment variable that its default is. */
  readonly environment: string | undefined;
  readonly description: string | undefined;
  readonly type: "string" | "number" | "boolean" | "list" | "map" | undefined;
  readonly sensitive: boolean;
};

/** A builder of the template with what is done for it. */
export type Builder = {
  readonly name: string;
  readonly type: string;
  readonly place: Place;
  readonly options: MapNode;
  readonly provisioners: readonly Block[];
  /** What stands around it and has no place in a spec: post-processors and the like. */
  readonly others: readonly Diagnostic[];
  /** Where `source_ami` came from if it is looked up elsewhere. */
  readonly sourceFilter: MapNode | undefined;
};

/** A provisioner: its type and options, `only` and `override` applied already. */
export type Block = { readonly type: string; readonly place: Place; readonly options: MapNode };

/** Whether `only` and `except`, of which one may be there, let a builder through. */
export function letsThrough(options: MapNode, names: readonly string[]): boolean {
  const only = namesIn(options, "only");
  const except = namesIn(options, "except");
  const isNamed = (list: readonly string[]): boolean => names.some((name) => list.includes(name));
  return (only === undefined || isNamed(only)) && (except === undefined || !isNamed(except));
}

function namesIn(options: MapNode, key: string): readonly string[] | undefined {
  const node = options.entries.get(key)?.node;
  if (node?.kind !== "list") return undefined;
  return node.items.flatMap((item) => (item.kind === "scalar" ? [String(item.value)] : []));
}

/** The options without those that say for whom they are, and with what `override` has for this builder. */
export function overridden(options: MapNode, names: readonly string[]): MapNode {
  const entries = new Map(options.entries);
  for (const key of ["type", "only", "except", "override"]) entries.delete(key);
  const override = options.entries.get("override")?.node;
  if (override?.kind !== "map") return { ...options, entries };
  for (const name of names) {
    const own = override.entries.get(name)?.node;
    if (own?.kind === "map") for (const [key, entry] of own.entries) entries.set(key, entry);
  }
  return { ...options, entries };
}
