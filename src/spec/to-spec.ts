import type { Diagnostic } from "../diagnostic.ts";
import { byPlace } from "../document/excerpt.ts";
import {
  hasBroken,
  type MapNode,
  type Node,
  type Path,
  type PlainValue,
  placeAt,
  scalarsOf,
  toValue,
} from "../document/node.ts";
import { type Region, regionOf } from "../util/region.ts";
import { groupName } from "../util/task-id.ts";
import { check, toLabel } from "./check.ts";
import { withChosenSteps } from "./conditions.ts";
import { type Evaluated, type Evaluator, evaluate, type Marks, type Scope } from "./evaluate.ts";
import { toDiagnostic } from "./finding.ts";
import { type Header, toHeader } from "./header.ts";
import type { WrittenImage } from "./image.gen.ts";
import { toImageSpec } from "./image.ts";
import { type Combination, variantOf } from "./matrix.ts";
import { withRebasedPaths } from "./paths.ts";
import type { Plugins } from "./plugins/load.ts";
import { checkSteps, mayBeSecret, takeOut } from "./plugins/steps.ts";
import { toRegionNode } from "./region-node.ts";
import type { WrittenRegion } from "./rendered.ts";
import type { RuleContext } from "./rules/rule.ts";
import { findingsOf } from "./rules/rules.ts";
import { type Build, toScope } from "./scope.ts";
import { newSharing, type SharedValues } from "./shared-values.ts";
import type { ImageSpec, Spec } from "./spec.ts";
import { twins } from "./twins.ts";
import { validateImage } from "./validate-image.gen.ts";
import type { Given } from "./variables.ts";

export type SpecOptions = Given & {
  readonly path: string;
  /** Absolute; what relative paths in the spec are relative to. */
  readonly directory: string;
  readonly build: Build;
  /** Only these of the spec's regions. */
  readonly regions?: readonly string[] | undefined;
  /** Makes an evaluator of expressions; absent where the document has none. */
  readonly toEvaluator?: ((scope: Scope, marks: Marks) => Evaluator) | undefined;
  readonly fileProblem: RuleContext["fileProblem"];
  readonly plugins: Plugins;
};

/** `spec` is absent when a diagnostic is an error. */
export type Checked = {
  readonly spec: Spec | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** What each image was made from, in the order of the spec's images. */
  readonly written: readonly WrittenRegion[];
};

type CheckedImage = {
  readonly image: ImageSpec | undefined;
  readonly written?: WrittenRegion;
  readonly diagnostics: readonly Diagnostic[];
  readonly secrets: ReadonlyMap<string, string>;
};

/**
 * Document -> spec: every region's sections merged, evaluated, checked, completed. Tells everything that is wrong at
 * once. Throws `usage-wrong` for a `--var` or `--region` that the spec does not have.
 */
export function toSpec(root: MapNode, options: SpecOptions): Checked {
  const header = toHeader(root, options);
  // Without a region the common sections are looked at all the same, so that all mistakes are told at once.
  const regions = header.regions.length > 0 ? header.regions : [undefined];
  const sharing = newSharing();
  const checked = regions.flatMap((region) => {
    const combinations = header.matrix.combinationsOf(region ?? someRegion);
    return combinations.map((combination) => {
      const shared = sharing(region ?? someRegion, combination ? variantOf(combination) : "");
      return toChecked(root, { region, combination, shared }, header, options);
    });
  });
  const told = [...checked.flatMap(({ diagnostics }) => diagnostics), ...twins(checked)];
  const known = new Set(told.map(toGist));
  // The sections were checked whole; that a part of one is wrong by itself too need not be told again.
  const fresh = header.diagnostics.filter((diagnostic) => !known.has(toGist(diagnostic)));
  const diagnostics = withoutRepeats([...fresh, ...told]).sort(byPlace);
  if (diagnostics.some(({ severity }) => severity === "error"))
    return { spec: undefined, diagnostics, written: [] };
  const { path, directory } = options;
  const images = checked.flatMap(({ image }) => image ?? []);
  const secrets = new Map([...header.secrets, ...checked.flatMap((one) => [...one.secrets])]);
  const written = checked.flatMap((one) => one.written ?? []);
  return { spec: { name: header.name, path, directory, images, secrets }, diagnostics, written };
}

/** Any region will do to evaluate expressions where none is named. */
const someRegion = "us-east-1";

/** Which image: of a region, and a combination of the matrix. */
type Which = {
  readonly region: string | undefined;
  readonly combination: Combination | null;
  readonly shared: SharedValues;
};

function toChecked(root: MapNode, which: Which, header: Header, options: SpecOptions): CheckedImage {
  const { region: name, combination, shared } = which;
  const region = regionOf(name ?? someRegion);
  const evaluated = toEvaluated(toRegionNode(root, name), { region, combination, shared }, header, options);
  const { secrets } = evaluated;
  const chosen = withChosenSteps(evaluated.node, region.name);
  const node = withRebasedPaths(chosen.node, options.directory);
  const value = toValue(node);
  const { plugins } = options;
  const taken = takeOut((value as { provision?: PlainValue }).provision, ["provision"], plugins);
  const own = check(validateImage, value, node, [...plugins.provisioners.keys()]);
  const ofPlugins = checkSteps(taken, node, plugins, options.directory);
  const refused = [...own, ...ofPlugins.refused];
  const found = [
    ...evaluated.diagnostics,
    ...chosen.diagnostics,
    ...refused.map((finding) => toDiagnostic(finding, node)),
  ];
  if (name === undefined) return { image: undefined, diagnostics: found, secrets };
  // An unknown key takes nothing away from what is known.
  const wrong = refused.filter(({ code }) => code !== "unknown-key").map(({ at }) => at);
  const unsound = [...wrong, ...brokenPaths(node)];
  const isSound = (path: Path): boolean =>
    !unsound.some((other) => isBelow(other, path) || isBelow(path, other));
  const isRefused = (path: Path): boolean => unsound.some((other) => isBelow(path, other));
  // A cast from what the schema checks: rules run only where it found nothing.
  const written = value as unknown as WrittenImage;
  const regionPlace = placeAt(root, ["regions", name], "key");
  for (const finding of findingsOf(written, {
    region,
    now: options.build.now,
    fileProblem: options.fileProblem,
    isSound,
    isRefused,
  })) {
    found.push(toDiagnostic(finding, node, regionPlace));
  }
  if (found.some(({ severity }) => severity === "error"))
    return { image: undefined, diagnostics: found, secrets };
  const { directory, build } = options;
  const variant = combination && variantOf(combination);
  return {
    image: toImageSpec(written, {
      name: header.name,
      region,
      variant,
      directory,
      build,
      node,
      pluginSteps: ofPlugins.steps,
    }),
    written: { value: written, node },
    diagnostics: found,
    secrets,
  };
}

/** What only sensitive variables may give. */
const passwordPaths = ["connect.password", "connect.sudoPassword", "connect.proxy.password"];

type Where = Omit<Which, "region"> & { readonly region: Region };

function toEvaluated(
  node: Node,
  { region, combination, shared }: Where,
  header: Header,
  options: SpecOptions,
): Evaluated {
  if (!options.toEvaluator) return { node, diagnostics: [], secrets: new Map() };
  const scope = toScope(
    header.name,
    region,
    options.build,
    header.variables,
    header.environment,
    combination,
  );
  const group = groupName(region.name, combination && variantOf(combination));
  const toSecretName = (path: Path): string | undefined => secretNameAt(path, group, options.plugins);
  return evaluate(node, options.toEvaluator(scope, header.marks), toSecretName, shared);
}

/** The name of the secret that may stand at a path of an image of a group; `undefined` where none may. */
function secretNameAt(path: Path, group: string, plugins: Plugins): string | undefined {
  const isTest = path[0] === "verify" && path[1] === "tests";
  const [list, [index, kind, env, ...rest]] = isTest
    ? ["verify.tests", path.slice(2)]
    : [path[0], path.slice(1)];
  const isStep =
    (isTest || list === "provision") && (kind === "shell" || kind === "local" || kind === "program");
  if (isStep && env === (kind === "program" ? "secrets" : "env") && rest.length === 1) {
    return `${group}/${list}[${index}].${kind}.${env}.${rest[0]}`;
  }
  if (list === "provision" && kind === "ansible" && env === "extraVars" && !isTest && rest.length > 0)
    return `${group}/${toSecretLabel(path)}`;
  if (mayBeSecret(path, plugins)) return `${group}/${toSecretLabel(path)}`;
  const written = path.join(".");
  return passwordPaths.includes(written) ? `${group}/${written}` : undefined;
}

/** As `toLabel`, but that keys with dots in them are not taken for others. */
function toSecretLabel(path: Path): string {
  return toLabel(
    path.map((step) => (typeof step === "number" ? step : step.replaceAll("~", "~0").replaceAll(".", "~1"))),
  );
}

function* brokenPaths(node: Node, path: Path = []): Generator<Path, void, undefined> {
  if (!hasBroken(node)) return;
  for (const [scalar, at] of scalarsOf(node, path)) if (scalar.broken) yield at;
}

function isBelow(path: Path, above: Path): boolean {
  return above.every((step, index) => path[index] === step);
}

/** The two schemas have different words for the same mistake, but one value has one of them. */
function toGist({ place, code, message }: Diagnostic): string {
  const what =
    code === "wrong-type" || code === "wrong-value" || code === "unknown-key"
      ? "value"
      : `${code} ${message}`;
  return `${place.line}:${place.column} ${what}`;
}

/** Regions share their common sections, and with them what is wrong there. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const keyed = diagnostics.map((diagnostic): [string, Diagnostic] => {
    const { code, message, place } = diagnostic;
    return [`${place.line}:${place.column} ${code} ${message}`, diagnostic];
  });
  return [...new Map(keyed.reverse()).values()].reverse();
}
