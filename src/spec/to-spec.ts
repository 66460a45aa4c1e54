import type { Diagnostic } from "../diagnostic.ts";
import { byPlace } from "../document/excerpt.ts";
import { type MapNode, type Node, type Path, scalarsOf, toValue } from "../document/node.ts";
import { regionOf } from "../util/region.ts";
import { check } from "./check.ts";
import { type Evaluated, type Evaluator, evaluate, type Marks, type Scope } from "./evaluate.ts";
import { toDiagnostic } from "./finding.ts";
import { type Header, toHeader } from "./header.ts";
import type { WrittenImage } from "./image.gen.ts";
import { toImageSpec } from "./image.ts";
import { toRegionNode } from "./region-node.ts";
import { findingsOf, type RuleContext } from "./rules.ts";
import { type Build, toScope } from "./scope.ts";
import type { ImageSpec, Spec } from "./spec.ts";
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
};

/** `spec` is absent when a diagnostic is an error. */
export type Checked = { readonly spec: Spec | undefined; readonly diagnostics: readonly Diagnostic[] };

type CheckedImage = {
  readonly image: ImageSpec | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly secrets: ReadonlyMap<string, string>;
};

/**
 * Document -> spec: every region's sections merged, evaluated, checked, completed. Tells everything that is wrong at
 * once. Throws `usage-wrong` for a `--var` or `--region` that the spec does not have.
 */
export function toSpec(root: MapNode, options: SpecOptions): Checked {
  const header = toHeader(root, options);
  const checked = header.regions.map((region) => toChecked(root, region, header, options));
  const told = checked.flatMap(({ diagnostics }) => diagnostics);
  const places = new Set(told.map(placeKey));
  // The sections were checked whole; that a part of one is wrong by itself too need not be told again.
  const fresh = header.diagnostics.filter((diagnostic) => !places.has(placeKey(diagnostic)));
  const diagnostics = withoutRepeats([...fresh, ...told]).sort(byPlace);
  if (diagnostics.some(({ severity }) => severity === "error")) return { spec: undefined, diagnostics };
  const { path, directory } = options;
  const images = checked.flatMap(({ image }) => image ?? []);
  const secrets = new Map([...header.secrets, ...checked.flatMap((one) => [...one.secrets])]);
  return { spec: { name: header.name, path, directory, images, secrets }, diagnostics };
}

function toChecked(root: MapNode, name: string, header: Header, options: SpecOptions): CheckedImage {
  const region = regionOf(name);
  const { node, diagnostics, secrets } = toEvaluated(toRegionNode(root, name), name, header, options);
  const value = toValue(node);
  const refused = check(validateImage, value, node);
  const found = [...diagnostics, ...refused.map((finding) => toDiagnostic(finding, node))];
  const unsound = [...refused.map(({ at }) => at), ...brokenPaths(node)];
  const isSound = (path: Path): boolean =>
    !unsound.some((other) => isBelow(other, path) || isBelow(path, other));
  // A cast from what the schema has checked: rules run only where it found nothing.
  const written = value as unknown as WrittenImage;
  for (const finding of findingsOf(written, { region, fileProblem: options.fileProblem }, isSound)) {
    found.push(toDiagnostic(finding, node));
  }
  if (found.some(({ severity }) => severity === "error"))
    return { image: undefined, diagnostics: found, secrets };
  const { directory, build } = options;
  return {
    image: toImageSpec(written, { name: header.name, region, directory, build, node }),
    diagnostics: found,
    secrets,
  };
}

function toEvaluated(node: Node, region: string, header: Header, options: SpecOptions): Evaluated {
  if (!options.toEvaluator) return { node, diagnostics: [], secrets: new Map() };
  const scope = toScope(header.name, regionOf(region), options.build, header.variables, header.environment);
  return evaluate(node, options.toEvaluator(scope, header.marks), (path) => {
    const [section, index, kind, env, ...rest] = path;
    const isEnv = section === "provision" && (kind === "shell" || kind === "local") && env === "env";
    return isEnv && rest.length === 1 ? `${region}/provision[${index}].${kind}.env.${rest[0]}` : undefined;
  });
}

function* brokenPaths(node: Node, path: Path = []): Generator<Path, void, undefined> {
  for (const [scalar, at] of scalarsOf(node, path)) if (scalar.broken) yield at;
}

function isBelow(path: Path, above: Path): boolean {
  return above.every((step, index) => path[index] === step);
}

function placeKey({ place }: Diagnostic): string {
  return `${place.line}:${place.column}`;
}

/** Regions share their common sections, and with them what is wrong there. */
function withoutRepeats(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const keyed = diagnostics.map((diagnostic): [string, Diagnostic] => {
    const { code, message } = diagnostic;
    return [`${placeKey(diagnostic)} ${code} ${message}`, diagnostic];
  });
  return [...new Map(keyed.reverse()).values()].reverse();
}
