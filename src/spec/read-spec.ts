import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Diagnostic } from "../diagnostic.ts";
import { toDocument } from "../document/document.ts";
import { byPlace } from "../document/excerpt.ts";
import type { Entry, Node } from "../document/node.ts";
import { readText } from "../document/text.ts";
import { Problem } from "../problem.ts";
import { hasExpressions } from "./evaluate.ts";
import { type Family, readFamily } from "./family.ts";
import { diagnosticAt } from "./finding.ts";
import { gitStateFor } from "./git.ts";
import { readLocalText } from "./local-text.ts";
import { pluginsOf } from "./plugins/read-plugins.ts";
import { type Rendered, toRendered } from "./rendered.ts";
import type { Build } from "./scope.ts";
import type { Spec } from "./spec.ts";
import { type Checked, type SpecOptions, toSpec } from "./to-spec.ts";
import { type Given, type Missing, missingVariables } from "./variables.ts";

export type ReadOptions = Given & {
  /** Asks for variables that are not given; absent: that they are missing is told. */
  readonly ask?: ((missing: readonly Missing[]) => Promise<Readonly<Record<string, string>>>) | undefined;
  readonly build: Build;
  /** Only these of the spec's regions. */
  readonly regions?: readonly string[] | undefined;
};

/**
 * Text -> document -> spec, with the files that it extends. Throws `file-unreadable`, or `spec-invalid` with everything that is wrong at once, or
 * `usage-wrong` for a variable or region that the spec does not have.
 */
export async function readSpec(
  path: string,
  options: ReadOptions,
): Promise<{ spec: Spec; warnings: readonly Diagnostic[]; rendered: () => readonly Rendered[] }> {
  const family = await readFamily(path);
  const { spec, diagnostics, written } = await toChecked(family, path, options);
  if (spec) {
    const rendered = (): readonly Rendered[] =>
      spec.images.flatMap((image, index) => {
        const region = written[index];
        return region && family.root ? [toRendered(family.root, spec.directory, image, region)] : [];
      });
    return { spec, warnings: diagnostics, rendered };
  }
  const count = diagnostics.filter(({ severity }) => severity === "error").length;
  throw new Problem("spec-invalid", `"${path}" has ${count === 1 ? "a mistake" : `${count} mistakes`}`, {
    diagnostics,
  });
}

/** A file of `--var-file`: a map of names and values. Throws as `readSpec` does. */
export async function readVariableFile(path: string): Promise<Node> {
  const { root, diagnostics } = toDocument(await readText(path));
  if (root?.kind === "map") return withoutView(root);
  const told = root
    ? [diagnosticAt({ ...root.place, isSecret: true }, { code: "wrong-type", message: notVariables })]
    : diagnostics.map((one) => ({
        ...one,
        message: one.message.replace(/ &\S+/, ""),
        place: { ...one.place, isSecret: true },
      }));
  throw new Problem("spec-invalid", `"${path}" is no file of variables`, {
    hint: `${notVariables}, such as release: "2026.11"`,
    diagnostics: told,
  });
}

/** Values may be secrets, so nothing of the file is shown when something is wrong with one. */
function withoutView(node: Node): Node {
  const place = { ...node.place, isSecret: true };
  if (node.kind === "scalar") return { ...node, place };
  if (node.kind === "list") return { ...node, place, items: node.items.map(withoutView) };
  const entries = [...node.entries].map(([key, entry]): [string, Entry] => [
    key,
    { keyPlace: { ...entry.keyPlace, isSecret: true }, node: withoutView(entry.node) },
  ]);
  return { ...node, place, entries: new Map(entries) };
}

const notVariables = "a file of variables is a map of names and values";

async function toChecked(family: Family, path: string, options: ReadOptions): Promise<Checked> {
  const { root, diagnostics } = family;
  // What a file that is not there would have said is missing all over; that it is not there is enough.
  if (!root || diagnostics.length > 0) return { spec: undefined, diagnostics, written: [] };
  if (root.kind !== "map") return { spec: undefined, diagnostics: [notMap(root)], written: [] };
  const directory = dirname(resolve(path));
  const loaded = await pluginsOf(root, directory);
  const asked = await options.ask?.(missingVariables(root, options));
  // Most of the time that it takes to check a spec would go into loading CEL.
  const cel = hasExpressions(root) ? await import("./cel.ts") : undefined;
  const files = (file: string, from: string): string => readLocalText(dirname(resolve(from)), file);
  const toEvaluator: SpecOptions["toEvaluator"] =
    cel && ((scope, marks) => cel.toEvaluator(scope, marks, files));
  const git = cel && (await gitStateFor(root, directory));
  const fileProblem = (file: string, kind: "file" | "any"): string | undefined =>
    whyUnreadable(resolve(directory, file), kind);
  const checked = toSpec(root, {
    ...options,
    variables: { ...asked, ...options.variables },
    build: { ...options.build, git },
    path,
    directory,
    toEvaluator,
    fileProblem,
    plugins: loaded.plugins,
  });
  if (loaded.diagnostics.length === 0) return checked;
  return {
    spec: undefined,
    written: [],
    diagnostics: [...loaded.diagnostics, ...checked.diagnostics].sort(byPlace),
  };
}

function notMap(root: Node): Diagnostic {
  const what = root.kind === "list" ? "a list" : "a single value";
  return diagnosticAt(root.place, {
    code: "wrong-type",
    message: `a spec is a map of sections, not ${what}`,
    hint: "it begins with the line: imgspec: 1",
  });
}

/** Why a local file cannot be used, or `undefined`. */
function whyUnreadable(path: string, kind: "file" | "any"): string | undefined {
  try {
    const stats = statSync(path);
    if (kind === "file" && stats.isDirectory()) return "is a directory";
    if (!stats.isFile() && !stats.isDirectory()) return "is neither a file nor a directory";
    accessSync(path, stats.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "may not be read by this user" : "does not exist";
  }
}
