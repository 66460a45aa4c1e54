import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Diagnostic, Place } from "../../diagnostic.ts";
import { type MapNode, nodeAt } from "../../document/node.ts";
import type { DiagnosticCode } from "../diagnostics.ts";
import { diagnosticAt } from "../finding.ts";
import { stepKeys } from "../steps.ts";
import { type Fragment, toFragment } from "./fragment.ts";
import { importPlugin } from "./import-plugin.ts";
import { toPlugin } from "./inspect.ts";
import { locate } from "./locate.ts";
import { placeOf } from "./place-of.ts";
import type { Provisioner } from "./plugin.ts";

/** What a plan holds of a plugin: another one of the same name makes another task. */
export type PluginFacts = {
  readonly name: string;
  /** Of its package; null: a file of the user's. */
  readonly version: string | null;
  /** Absolute path of what is loaded. */
  readonly module: string;
  /** SHA-256 of that file. */
  readonly contents: string;
};

export type LoadedProvisioner = Fragment & {
  readonly kind: string;
  readonly facts: PluginFacts;
  readonly provisioner: Provisioner;
};

export type Plugins = {
  readonly provisioners: ReadonlyMap<string, LoadedProvisioner>;
  /** Not all could be loaded: any kind of step may be one of theirs. */
  readonly isPartial: boolean;
};

export type LoadedPlugins = { readonly plugins: Plugins; readonly diagnostics: readonly Diagnostic[] };

/**
 * Loads the plugins that a spec names, which runs what is in their modules. What is wrong with one is a diagnostic at its
 * name, and the others are loaded all the same.
 */
export async function loadPlugins(root: MapNode, directory: string): Promise<LoadedPlugins> {
  const loading = new Loading(directory);
  const list = nodeAt(root, ["plugins"]);
  for (const item of list?.kind === "list" ? list.items : []) {
    if (item.kind === "scalar" && typeof item.value === "string" && item.value !== "")
      await loading.load(item.value, item.place);
  }
  const { provisioners, diagnostics } = loading;
  return { plugins: { provisioners, isPartial: diagnostics.length > 0 }, diagnostics };
}

class Loading {
  readonly provisioners = new Map<string, LoadedProvisioner>();
  readonly diagnostics: Diagnostic[] = [];
  readonly #directory: string;
  /** Two files of a family may name the same. */
  readonly #loaded = new Set<string>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  async load(reference: string, place: Place): Promise<void> {
    const tell = (code: DiagnosticCode, message: string, hint?: string): void =>
      void this.diagnostics.push(diagnosticAt(place, { code, message, hint }));
    const located = locate(reference, place.path, this.#directory);
    if (!("module" in located)) return tell("plugin-missing", located.message, located.hint);
    const { module: path, version } = located;
    if (this.#loaded.has(path)) return;
    this.#loaded.add(path);
    let module: object;
    try {
      module = await importPlugin(path);
    } catch (error) {
      const message = `the plugin "${reference}" cannot be loaded: ${toLine(error)}`;
      // Node shows the place of a syntax error only where it prints it.
      const hint = error instanceof SyntaxError ? `node --check ${path} shows where` : placeOf(error);
      return tell("plugin-broken", message, hint);
    }
    const plugin = toPlugin(module);
    if (!("provisioners" in plugin)) {
      return tell("plugin-broken", `the plugin "${reference}" ${plugin.message}`, plugin.hint);
    }
    const contents = createHash("sha256").update(readFileSync(path)).digest("hex");
    const facts: PluginFacts = { name: plugin.name, version, module: path, contents };
    for (const [kind, provisioner] of Object.entries(plugin.provisioners)) {
      const other = this.provisioners.get(kind)?.facts.name;
      const whose = Object.hasOwn(stepKeys, kind) ? "imgspec" : other && `the plugin ${other}`;
      if (whose) {
        const message = `the plugin "${reference}" has a provisioner "${kind}", and so has ${whose}`;
        tell(
          "plugin-clash",
          message,
          "one key cannot mean two things: leave one plugin out, or rename its provisioner",
        );
        continue;
      }
      const fragment = toFragment(kind, provisioner.schema);
      if ("schema" in fragment) this.provisioners.set(kind, { kind, facts, provisioner, ...fragment });
      else tell("plugin-broken", `the plugin "${reference}" ${fragment.message}`, fragment.hint);
    }
  }
}

function toLine(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.split("\n")[0] ?? "";
}
