import { hasBroken, type Node, nodeAt, type Path, type PlainValue } from "../../document/node.ts";
import type { Json } from "../../util/json.ts";
import { type Refusal, toAmbiguous, toLabel } from "../check.ts";
import { toSeconds } from "../quantity.ts";
import { type StepBase, stepKeys } from "../steps.ts";
import { allowsSecret } from "./allows-secret.ts";
import { checkOptions } from "./check-options.ts";
import type { LoadedProvisioner, PluginFacts, Plugins } from "./load.ts";
import type { PluginMistake, PluginOptions } from "./plugin.ts";

/** A step that a plugin does. */
export type PluginStep = StepBase & {
  readonly kind: "plugin";
  readonly plugin: PluginFacts;
  readonly provisioner: string;
  /** Without `timeout` and `retries`; a secret is `{ $secret: name }`. */
  readonly options: PluginOptions;
  /** Absolute: that of the spec. */
  readonly directory: string;
};

type PlainMap = { [key: string]: PlainValue };

/** A step of a plugin's, taken out of a value that only knows imgspec's own. */
type Taken = {
  /** Of the step. */
  readonly at: Path;
  readonly step: PlainMap;
  readonly kind: string;
  readonly options: PlainValue;
  /** Other keys that say what kind of step it is. */
  readonly others: readonly string[];
};

/**
 * Puts a step of imgspec's own, without an option, in the place of each step of a plugin in the steps at `at`, so that the
 * schemas that were compiled ahead can check all around it.
 */
export function takeOut(steps: PlainValue | undefined, at: Path, plugins: Plugins): readonly Taken[] {
  if (!Array.isArray(steps)) {
    if (!isMap(steps)) return [];
    return ["prepend", "append"].flatMap((word) =>
      Array.isArray(steps[word]) ? takeOut(steps[word], [...at, word], plugins) : [],
    );
  }
  return steps.flatMap((step, index): Taken[] => {
    if (!isMap(step)) return [];
    const [kind, ...more] = Object.keys(step).filter((key) => isOfPlugin(key, plugins));
    if (kind === undefined) return [];
    const own = Object.keys(step).filter((key) => kindOf(key) === "kind");
    const options = step[kind] ?? null;
    for (const key of [kind, ...more]) delete step[key];
    if (own.length === 0) step["reboot"] = {};
    return [{ at: [...at, index], step, kind, options, others: [...more, ...own] }];
  });
}

/** The same in all sections of a whole document. */
export function takeOutOfAll(root: PlainValue, plugins: Plugins): void {
  if (!isMap(root)) return;
  takeOut(root["provision"], [], plugins);
  for (const family of [root["presets"], root["regions"]]) {
    if (!isMap(family)) continue;
    for (const inner of Object.values(family)) if (isMap(inner)) takeOut(inner["provision"], [], plugins);
  }
}

/** Checks steps that were taken out, and puts them back; `steps`: those that are sound, by their index. */
export function checkSteps(
  taken: readonly Taken[],
  node: Node,
  { provisioners }: Plugins,
  directory: string,
): { readonly refused: readonly Refusal[]; readonly steps: ReadonlyMap<number, PluginStep> } {
  const steps = new Map<number, PluginStep>();
  const refused = taken.flatMap((one): readonly Refusal[] => {
    const { step, kind, options, at, others } = one;
    const [other] = others;
    if (other !== undefined) return [toAmbiguous(at, kind, other, "step")];
    delete step["reboot"];
    step[kind] = options;
    const loaded = provisioners.get(kind);
    if (!loaded) return [];
    const here = [...at, kind];
    const wrong = checkOptions(loaded, options, here, node);
    const inner = nodeAt(node, here);
    if (wrong.length > 0 || !isMap(options) || !inner || hasBroken(inner)) return wrong;
    const made = toStep(loaded, toOptions(options, inner) as PlainMap, at);
    if (Array.isArray(made)) return made;
    steps.set(Number(at.at(-1)), { ...made, directory });
    return [];
  });
  return { refused, steps };
}

/** What the plugin finds wrong with the options, or the step. */
function toStep(
  loaded: LoadedProvisioner,
  written: PlainMap,
  at: Path,
): Omit<PluginStep, "directory"> | Refusal[] {
  const { kind, facts, provisioner } = loaded;
  const { timeout, retries, ...options } = written;
  const here = [...at, kind];
  try {
    const wrong = [...(provisioner.check?.(structuredClone(options)) ?? [])];
    if (wrong.length > 0) return wrong.map((mistake) => toRefusal(mistake, here));
    const words = provisioner.describe?.(structuredClone(options)) ?? `of the plugin ${facts.name}`;
    return {
      kind: "plugin",
      title: `${kind} ${words}`.split("\n")[0] ?? kind,
      label: toLabel(here),
      timeoutSeconds: toSeconds(String(timeout)),
      retries: Number(retries),
      plugin: facts,
      provisioner: kind,
      // A cast from what YAML can hold.
      options: options as { readonly [key: string]: Json },
    };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `the plugin ${facts.name} cannot check ${toLabel(here)}: ${why}`;
    return [{ code: "plugin-broken", at: here, message, hint: `tell its author; it is ${facts.module}` }];
  }
}

function toRefusal({ message, hint, at = [] }: PluginMistake, here: Path): Refusal {
  const path = [...here, ...at];
  return { code: "wrong-value", at: path, message: `${toLabel(path)} ${message}`, hint };
}

/** Whether a sensitive variable may stand at a path of an image: its plugin says so. */
export function mayBeSecret([list, index, kind, ...path]: Path, plugins: Plugins): boolean {
  if (list !== "provision" || typeof index !== "number" || typeof kind !== "string") return false;
  const loaded = plugins.provisioners.get(kind);
  return loaded ? allowsSecret(loaded.schema, path) : isOfPlugin(kind, plugins);
}

function isOfPlugin(key: string, { provisioners, isPartial }: Plugins): boolean {
  return provisioners.has(key) || (isPartial && kindOf(key) === undefined);
}

function kindOf(key: string): string | undefined {
  return Object.hasOwn(stepKeys, key) ? stepKeys[key as keyof typeof stepKeys] : undefined;
}

function toOptions(value: PlainValue, node: Node | undefined): PlainValue {
  if (node?.kind === "scalar" && node.secret) return { $secret: node.secret.name };
  if (Array.isArray(value)) return value.map((item, index) => toOptions(item, node && nodeAt(node, [index])));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, toOptions(inner, node && nodeAt(node, [key]))]),
  );
}

function isMap(value: PlainValue | undefined): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
