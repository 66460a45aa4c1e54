import type { Place } from "../diagnostic.ts";
import type { Entry, MapNode, Node, PlainValue, ScalarNode } from "../document/node.ts";
import { toPieces } from "../spec/expression.ts";
import { nearest } from "../util/nearest.ts";
import type { World } from "./go-functions.ts";
import { fromGoTemplate } from "./go-template.ts";
import type { Leftovers } from "./leftovers.ts";

/** What reading options needs besides the options. */
export type Reading = {
  readonly world: World;
  readonly leftovers: Leftovers;
  readonly reasons: ReadonlyMap<ScalarNode, string>;
  /** Variables that turned out to hold a password. */
  readonly passwords: Set<string>;
};

/** Why an option is not in the spec, and what to do instead. */
export type Reason = readonly [why: string, hint?: string];

/** The options of a builder or provisioner. Each is taken once; what nobody takes is left over. */
export class Options {
  readonly #rest: Map<string, Entry>;
  readonly #owner: string;
  readonly #map: MapNode;
  readonly reading: Reading;

  constructor(map: MapNode, owner: string, reading: Reading) {
    // A key that begins with "_" is a comment to Packer, and null is as good as nothing.
    this.#rest = new Map(
      [...map.entries].filter(
        ([key, { node }]) =>
          !key.startsWith("_") && !(node.kind === "scalar" && node.value === null && !node.broken),
      ),
    );
    this.#owner = owner;
    this.#map = map;
    this.reading = reading;
  }

  get place(): Place {
    return this.#map.place;
  }

  has(name: string): boolean {
    return this.#rest.has(name);
  }

  /** Takes an option as it stands in the template. */
  take(name: string): Entry | undefined {
    const entry = this.#rest.get(name);
    this.#rest.delete(name);
    return entry;
  }

  /** A text as it is written in a spec; `undefined` if it is not there, empty, or has no translation, which is then told. */
  text(name: string): string | undefined {
    const entry = this.take(name);
    return entry && this.#textOf(name, entry.node);
  }

  /** A text of which nothing is translated, such as a command. */
  raw(name: string): string | undefined {
    const entry = this.take(name);
    if (entry?.node.kind !== "scalar") return undefined;
    return entry.node.broken ? void this.#textOf(name, entry.node) : String(entry.node.value) || undefined;
  }

  /** The texts of a list, or of a single one. */
  texts(...names: readonly string[]): readonly string[] {
    return names.flatMap((name) => {
      const entry = this.take(name);
      if (!entry) return [];
      const nodes = entry.node.kind === "list" ? entry.node.items : [entry.node];
      return nodes.flatMap((node) => this.#textOf(name, node) ?? []);
    });
  }

  /** The lines of a script; none if there is one that has no translation: it would be another script. */
  lines(name: string): readonly string[] {
    const entry = this.take(name);
    if (!entry) return [];
    const nodes = entry.node.kind === "list" ? entry.node.items : [entry.node];
    const lines = nodes.flatMap((node) => this.#textOf(name, node, true) ?? []);
    return lines.length === nodes.length ? lines : [];
  }

  /** A list as it is written in a spec: its texts, or an expression that is one. `undefined` for an empty one. */
  list(...names: readonly string[]): string[] | string | undefined {
    const texts = this.texts(...names);
    const [only = ""] = texts;
    const [, variable = ""] = /^\$\{\{ vars\.(\w+) \}\}$/.exec(only) ?? [];
    if (texts.length === 1 && this.reading.world.lists.has(variable)) return only;
    return texts.length > 0 ? [...texts] : undefined;
  }

  /** The texts of a map. Where it is a block that is repeated, as `tag { key, value }`, of these. */
  map(name: string, blocks?: string): Readonly<Record<string, string>> {
    const texts: Record<string, string> = {};
    const entry = this.take(name);
    if (entry?.node.kind === "map") {
      for (const [key, { node }] of entry.node.entries) {
        const text = this.#textOf(`${name}.${key}`, node, true);
        if (text !== undefined) texts[key] = text;
      }
    } else if (entry) this.leave(name, ["it is no map"]);
    if (blocks === undefined) return texts;
    for (const block of this.blocks(blocks)) {
      const [key, value] = [block.text("key") ?? block.text("name"), block.text("value")];
      if (key !== undefined && value !== undefined) texts[key] = value;
    }
    return texts;
  }

  /** Maps that stand alone or in a list, as options of their own. */
  blocks(name: string): readonly Options[] {
    const entry = this.take(name);
    if (!entry) return [];
    const nodes = entry.node.kind === "list" ? entry.node.items : [entry.node];
    return nodes.flatMap((node) => {
      if (node.kind === "map") return [new Options(node, name, this.reading)];
      this.leave(name, ["it is no block that imgspec understands"], node.place);
      return [];
    });
  }

  /** The names of what nobody has taken yet. */
  names(): readonly string[] {
    return [...this.#rest.keys()];
  }

  /** A list of lists, each as options of their own with the texts under `words`. */
  lists(name: string): readonly Options[] {
    const entry = this.take(name);
    const nodes = entry?.node.kind === "list" ? entry.node.items : [];
    return nodes.map((node) => {
      const words = { keyPlace: node.place, node };
      return new Options(
        { kind: "map", place: node.place, entries: new Map([["words", words]]) },
        name,
        this.reading,
      );
    });
  }

  flag(name: string): boolean {
    const text = this.text(name);
    return text === "true" || text === "1";
  }

  /** A whole number, or an expression that is one. */
  number(name: string): PlainValue | undefined {
    const entry = this.take(name);
    const text = entry && this.#written(name, entry.node);
    if (text === undefined || text.startsWith("${{"))
      return text && withType(text, "int", this.reading.world);
    if (/^-?\d+$/.test(text)) return Number(text);
    this.leave(name, ["it is no whole number"]);
    return undefined;
  }

  /** Tells that an option is not carried over. */
  leave(name: string, [why, hint]: Reason, place?: Place): void {
    this.reading.leftovers.add(
      place ?? this.#map.entries.get(name)?.keyPlace ?? this.#map.place,
      this.#owner === "" ? name : `${name} of ${this.#owner}`,
      why,
      hint,
    );
  }

  /** Takes an option only to say why it is not carried over. */
  drop(name: string, reason: Reason): void {
    if (this.take(name)) this.leave(name, reason);
  }

  /** Tells of everything that nobody has taken: with its reason, or as something unknown. */
  dropRest(reasons: Readonly<Record<string, Reason>>, known: readonly string[] = []): void {
    const general = Object.entries(reasons).filter(([key]) => key.endsWith("*"));
    for (const [name, { node }] of this.#rest) {
      const [, begun] = general.find(([key]) => name.startsWith(key.slice(0, -1))) ?? [];
      const reason = reasons[name] ?? begun;
      // What is switched off is not missed.
      if (reason && node.kind === "scalar" && String(node.value) === "false") continue;
      this.leave(name, reason ?? toUnknown(name, [...Object.keys(reasons), ...known]));
    }
    this.#rest.clear();
  }

  #textOf(name: string, node: Node, isEmptyGood = false): string | undefined {
    const written = this.#written(name, node, isEmptyGood);
    return written === undefined ? undefined : withType(written, "string", this.reading.world);
  }

  /** As it is in the template, of whatever type. */
  #written(name: string, node: Node, isEmptyGood = false): string | undefined {
    if (node.kind !== "scalar") {
      this.leave(name, ["a text was expected here"], node.place);
      return undefined;
    }
    if (node.broken) {
      this.leave(name, [this.reading.reasons.get(node) ?? "it has no value that is known"], node.place);
      return undefined;
    }
    if (typeof node.value !== "string") return String(node.value);
    const translated = fromGoTemplate(node.value, this.reading.world);
    if ("why" in translated) this.leave(name, [translated.why, "write what is meant"], node.place);
    else if (translated.text !== "" || isEmptyGood) return translated.text;
    return undefined;
  }
}

/** A value that is one expression keeps its type, which may not be the one that a spec has there. */
function withType(text: string, type: "string" | "int", { plain, lists }: World): string {
  const [piece, ...more] = toPieces(text);
  if (piece?.kind !== "expression" || more.length > 0) return text;
  const [, variable] = /^vars\.(\w+)$/.exec(piece.cel) ?? [];
  if (variable !== undefined && lists.has(variable)) return text;
  const isText = variable === undefined ? !maybeOther.test(piece.cel) : !plain.has(variable);
  return isText === (type === "string") ? text : `\${{ ${type}(${piece.cel}) }}`;
}

/** Operators, choices (but between texts), sizes, and what is inside of lists and maps. */
const maybeOther = /^(?!.* : '(?:[^'\\]|\\.)*'\)$)[(!-]|^size\(| in |\]$|^vars(\.\w+){2,}$/;

function toUnknown(name: string, known: readonly string[]): Reason {
  const why = "imgspec does not know this option";
  const meant = nearest(name, known);
  return meant === undefined || meant.endsWith("*") ? [why] : [why, `did you mean ${meant}?`];
}
