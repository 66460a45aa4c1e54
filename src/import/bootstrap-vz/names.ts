import { type MapNode, nodeAt } from "../../document/node.ts";
import type { Options } from "../options.ts";
import { toTimeCel } from "../time-layout.ts";

/** What an option of a manifest says in a spec: its text with the names in braces put in; told where one has no like. */
export type Names = {
  readonly text: (options: Options, name: string) => string | undefined;
  readonly texts: (options: Options, name: string) => readonly string[];
};

/**
 * `{system.release}` stands for another value of the manifest, `{%Y}` for a part of the time
 * (https://github.com/andsens/bootstrap-vz/blob/master/manifests/README.rst).
 */
export function newNames(root: MapNode): Names {
  const fill = (options: Options, name: string, text: string): string => {
    const unknown = new Set<string>();
    const filled = text
      .replaceAll(/(?:\{%[A-Za-z]\}[-_.]?(?=\{%))*\{%[A-Za-z]\}/g, (run) => toTime(run) ?? note(unknown, run))
      .replaceAll(
        /(?<!\{)\{([A-Za-z_][\w.-]*)\}(?!\})/g,
        (whole, path: string) => settingAt(root, path) ?? note(unknown, whole),
      );
    for (const each of unknown)
      options.leave(name, [`imgspec has nothing like ${each}`, "write what is meant"]);
    return filled;
  };
  return {
    text: (options, name) => {
      const text = options.text(name);
      return text === undefined ? undefined : fill(options, name, text);
    },
    texts: (options, name) => options.texts(name).map((text) => fill(options, name, text)),
  };
}

function note(unknown: Set<string>, name: string): string {
  if (name !== "{root}") unknown.add(name);
  return name;
}

/** `{%Y}-{%m}` as one expression. The year in two digits, which imgspec does not have, is written in four. */
function toTime(run: string): string | undefined {
  const pattern = run.replaceAll(/[{}]/g, "").replaceAll("%y", "%Y");
  return /%[^YmdHMS]/.test(pattern) ? undefined : `\${{ ${toTimeCel(pattern)} }}`;
}

function settingAt(root: MapNode, path: string): string | undefined {
  // Older manifests name what later ones have under provider.
  const node = nodeAt(root, path.split(".")) ?? nodeAt(root, ["provider", ...path.split(".")]);
  return node?.kind === "scalar" && node.value !== null ? String(node.value) : undefined;
}
