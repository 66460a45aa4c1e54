import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { Diagnostic, Place } from "../diagnostic.ts";
import { toDocument } from "../document/document.ts";
import { type Entry, type MapNode, type Node, nodeAt, withEntry } from "../document/node.ts";
import { readText } from "../document/text.ts";
import { Problem } from "../problem.ts";
import type { DiagnosticCode } from "./diagnostics.ts";
import { diagnosticAt } from "./finding.ts";
import { layer } from "./layer.ts";

/** A spec with all the files that it extends laid under it. `root` is absent where nothing can be said of the whole. */
export type Family = { readonly root: Node | undefined; readonly diagnostics: readonly Diagnostic[] };

/** Together, however often each is named; and how often files name others. */
const maxFiles = 100;
const maxLinks = 1000;

/**
 * Reads a spec and what it extends: the files that `extends` names at its top, in a region or in a preset, each relative
 * to the file that names it; later ones over earlier ones, and the file itself over all. Throws `file-unreadable` for the
 * spec itself.
 */
export async function readFamily(path: string): Promise<Family> {
  const reading = new Reading();
  const root = await reading.read(path, [path]);
  return { root, diagnostics: reading.diagnostics };
}

class Reading {
  readonly diagnostics: Diagnostic[] = [];
  #links = 0;
  /** By absolute path: a file that two others extend is read, and its mistakes are told, once. */
  readonly #documents = new Map<string, Promise<Node | undefined>>();

  /** `chain`: the files from the spec to this one. */
  async read(path: string, chain: readonly string[]): Promise<Node | undefined> {
    const key = resolve(path);
    const parsed = this.#documents.get(key) ?? this.#parse(path);
    this.#documents.set(key, parsed);
    const root = await parsed;
    return root?.kind === "map" ? this.#extend(root, chain) : root;
  }

  async #parse(path: string): Promise<Node | undefined> {
    const { root, diagnostics } = toDocument(await readText(path));
    this.diagnostics.push(...diagnostics);
    return root;
  }

  /** The map with everything under it that it or its regions and presets extend. */
  async #extend(map: MapNode, chain: readonly string[]): Promise<MapNode> {
    let whole = map;
    for (const family of ["presets", "regions"]) whole = await this.#extendEach(whole, family, chain);
    let below: MapNode | undefined;
    for (const [reference, place] of this.#references(map)) {
      const base = await this.#readBase(reference, place, chain);
      if (base) below = below ? layer(below, base) : base;
    }
    return below ? layer(below, whole) : whole;
  }

  async #extendEach(map: MapNode, family: string, chain: readonly string[]): Promise<MapNode> {
    const entry = map.entries.get(family);
    if (entry?.node.kind !== "map") return map;
    const entries = new Map<string, Entry>();
    for (const [name, inner] of entry.node.entries) {
      const node = inner.node.kind === "map" ? await this.#extend(inner.node, chain) : inner.node;
      entries.set(name, { ...inner, node });
    }
    return withEntry(map, family, { ...entry, node: { ...entry.node, entries } });
  }

  async #readBase(reference: string, place: Place, chain: readonly string[]): Promise<MapNode | undefined> {
    const from = chain.at(-1) ?? "";
    const path = isAbsolute(reference) ? reference : join(dirname(from), reference);
    const links = [...chain, path];
    const shown = links.map((link) => `"${link}"`).join(" extends ");
    if (chain.some((link) => resolve(link) === resolve(path)))
      return this.#tell(place, "extends-cycle", `a spec cannot extend itself: ${shown}`);
    this.#links += 1;
    const isNew = !this.#documents.has(resolve(path));
    if (this.#links > maxLinks || (isNew && this.#documents.size >= maxFiles))
      return this.#tell(place, "extends-too-much", `more than ${maxFiles} files extend each other`);
    try {
      // To open a named pipe would wait until somebody writes into it.
      if (await isPipe(path)) return this.#tell(place, "file-missing", `"${path}" is no file`);
      const root = await this.read(path, links);
      if (root === undefined) return undefined;
      if (root.kind === "map") return withoutKey(root, "extends");
      return this.#tell(root.place, "wrong-type", "a file that is extended is a map of sections");
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "file-unreadable") throw error;
      const hint = chain.length > 1 ? shown : "paths are relative to the file that names them";
      return this.#tell(place, "file-missing", error.message, hint);
    }
  }

  /** The paths that `extends` of a map names; what else may stand there the schema refuses. */
  *#references(map: MapNode): Iterable<[string, Place]> {
    const node = nodeAt(map, ["extends"]);
    for (const one of node?.kind === "list" ? node.items : [node]) {
      if (one?.kind !== "scalar" || typeof one.value !== "string" || one.value === "") continue;
      if (!one.value.includes("${{")) yield [one.value, one.place];
    }
  }

  #tell(place: Place, code: DiagnosticCode, message: string, hint?: string): undefined {
    this.diagnostics.push(diagnosticAt(place, { code, message, hint }));
  }
}

/** What is not there is told by who reads it. */
async function isPipe(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFIFO() ?? false;
}

function withoutKey(map: MapNode, key: string): MapNode {
  return { ...map, entries: new Map([...map.entries].filter(([name]) => name !== key)) };
}
