import { dirname, resolve } from "node:path";
import type { MapNode } from "../../document/node.ts";
import { Problem } from "../../problem.ts";
import { readFamily } from "../family.ts";
import type { LoadedPlugins, Plugins } from "./load.ts";

const noPlugins: Plugins = { provisioners: new Map(), isPartial: false };

/** The plugins that a spec names. Where it names none, nothing is loaded for them. */
export async function pluginsOf(root: MapNode, directory: string): Promise<LoadedPlugins> {
  if (!root.entries.has("plugins")) return { plugins: noPlugins, diagnostics: [] };
  const { loadPlugins } = await import("./load.ts");
  return loadPlugins(root, directory);
}

/** The same for a spec that may be unfinished otherwise. Throws `file-unreadable`, or `spec-invalid` for what is wrong with them. */
export async function readPlugins(path: string): Promise<Plugins> {
  const { root, diagnostics } = await readFamily(path);
  const { plugins, diagnostics: ofPlugins } =
    root?.kind === "map"
      ? await pluginsOf(root, dirname(resolve(path)))
      : { plugins: noPlugins, diagnostics: [] };
  const told = [...diagnostics, ...ofPlugins];
  if (told.length === 0) return plugins;
  throw new Problem("spec-invalid", `the plugins of "${path}" cannot be read`, { diagnostics: told });
}
