import type { Diagnostic } from "../diagnostic.ts";
import { type MapNode, nodeAt, type Path, toValue } from "../document/node.ts";
import { check, type Refusal, toLabel } from "./check.ts";
import type { Marks } from "./evaluate.ts";
import { type Finding, toDiagnostic } from "./finding.ts";
import { type Matrix, toMatrix } from "./matrix.ts";
import { misplacedExpressions } from "./misplaced.ts";
import type { Plugins } from "./plugins/load.ts";
import { takeOutOfAll } from "./plugins/steps.ts";
import { chosenRegions, regionFindings } from "./regions.ts";
import { validateSpec } from "./validate-spec.gen.ts";
import type { Value } from "./variable-value.ts";
import { type Given, toVariables } from "./variables.ts";

/** What a spec says once for all regions. */
export type Header = {
  readonly name: string;
  /** Null: told to be missing. */
  readonly variables: ReadonlyMap<string, Value | null>;
  readonly environment: ReadonlyMap<string, string | null>;
  readonly marks: Marks;
  /** The regions to build in: those of the spec, or those chosen of them. */
  readonly regions: readonly string[];
  readonly matrix: Matrix;
  /** Values of the sensitive variables, so that they can be masked wherever they come up. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly diagnostics: readonly Diagnostic[];
};

export type HeaderOptions = Given & {
  readonly regions?: readonly string[] | undefined;
  readonly plugins: Plugins;
};

/** Reads the header and checks the whole document against the published schema. */
export function toHeader(root: MapNode, options: HeaderOptions): Header {
  const value = toValue(root);
  takeOutOfAll(value, options.plugins);
  const refused = check(validateSpec, value, root, [...options.plugins.provisioners.keys()]);
  const isSound = (path: Path): boolean =>
    !refused.some(({ at }) => path.every((step, index) => at[index] === step));
  const variables = toVariables(root, options, (name) => isSound(["variables", name]));
  const environment = toEnvironment(root, options.environment, isSound);
  const misplaced = [...misplacedExpressions(root)];
  const name = nodeAt(root, ["name"]);
  const regions = chosenRegions(root, options.regions);
  const matrix = toMatrix(root, regions);
  const isMisplaced = ({ at }: Refusal): boolean =>
    misplaced.some((other) => toLabel(other.at) === toLabel(at));
  const findings = [
    ...refused.filter((refusal) => !isMisplaced(refusal)),
    ...variables.findings,
    ...environment.findings,
    ...misplaced,
    ...regionFindings(root),
    ...matrix.findings,
  ];
  return {
    name: name?.kind === "scalar" ? String(name.value) : "",
    variables: variables.values,
    environment: environment.values,
    marks: {
      sensitive: variables.sensitive,
      unsetVariables: unsetOf(variables.values),
      unsetEnvironment: unsetOf(environment.values),
    },
    regions,
    matrix,
    secrets: variables.secrets,
    diagnostics: [...findings.map((finding) => toDiagnostic(finding, root)), ...variables.diagnostics],
  };
}

function unsetOf(values: ReadonlyMap<string, unknown>): ReadonlySet<string> {
  return new Set([...values].flatMap(([name, value]) => (value === null ? [name] : [])));
}

/** Only what the spec lists is let in, so that a spec says what it depends on. */
function toEnvironment(
  root: MapNode,
  environment: NodeJS.ProcessEnv,
  isSound: (path: Path) => boolean,
): { values: Map<string, string | null>; findings: Finding[] } {
  const values = new Map<string, string | null>();
  const findings: Finding[] = [];
  const list = nodeAt(root, ["env"]);
  for (const [index, item] of (list?.kind === "list" ? list.items : []).entries()) {
    if (!isSound(["env", index]) || item.kind !== "scalar" || typeof item.value !== "string") continue;
    const value = Object.hasOwn(environment, item.value) ? (environment[item.value] ?? null) : null;
    values.set(item.value, value);
    if (value !== null) continue;
    const message = `the environment variable ${item.value} is not set`;
    findings.push({
      code: "environment-missing",
      at: ["env", index],
      message,
      hint: "set it, or take it off the list",
    });
  }
  return { values, findings };
}
