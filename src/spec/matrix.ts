import { type MapNode, type Node, nodeAt, type Path, type Scalar } from "../document/node.ts";
import { nearest } from "../util/nearest.ts";
import { knownRegions } from "../util/region.ts";
import type { Finding } from "./finding.ts";

/** One choice of each of the matrix' values, by name, in the order of the spec. */
export type Combination = ReadonlyMap<string, Scalar>;

/** The images of a region: one for each combination, or one alone where `matrix` is absent. */
export type Matrix = {
  readonly findings: readonly Finding[];
  combinationsOf(region: string): readonly (Combination | null)[];
};

/** In one spec, over all regions: nobody waits for more, and a slip makes millions. */
const maxImages = 1000;

/** Reads `matrix`. What its schema refuses is passed over; `regions` are those that are built. */
export function toMatrix(root: MapNode, regions: readonly string[]): Matrix {
  const node = nodeAt(root, ["matrix"]);
  if (node?.kind !== "map") return { findings: [], combinationsOf: () => [null] };
  const axes = axesOf(node);
  const [include, exclude] = [patternsOf(node, "include"), patternsOf(node, "exclude")];
  const findings = [
    ...wrongPatterns(axes, include, true),
    ...wrongPatterns(axes, exclude, false),
    ...idlePatterns(axes, [...include, ...exclude], exclude, regionNamesOf(root)),
  ];
  const count = Math.max(1, regions.length) * (product(axes) + include.length);
  if (count > maxImages) {
    const message = `the matrix stands for ${count} images, and ${maxImages} are the limit`;
    findings.push({ code: "matrix-too-large", at: ["matrix"], on: "key", message });
    return { findings, combinationsOf: () => [] };
  }
  const all = axes.length === 0 ? [] : combinations(axes);
  const names = axes.map(([name]) => name);
  const toOrdered = (values: Combination): Combination =>
    new Map(names.flatMap((name) => (values.has(name) ? [[name, values.get(name) ?? null] as const] : [])));
  const combinationsOf = (region: string): readonly Combination[] => {
    const isExcluded = (one: Combination): boolean =>
      exclude.some((pattern) => matches(pattern, one, region));
    const added = include.filter(({ values }) =>
      [undefined, region].includes(values.get("region") as string),
    );
    return [...all.filter((one) => !isExcluded(one)), ...added.map(({ values }) => toOrdered(values))];
  };
  if (regions.length > 0 && regions.every((region) => combinationsOf(region).length === 0)) {
    const message = "the matrix leaves no image to build";
    findings.push({ code: "matrix-wrong", at: ["matrix"], on: "key", message });
    // So that what is wrong elsewhere is told as well.
    return { findings, combinationsOf: () => all.slice(0, 1) };
  }
  return { findings, combinationsOf };
}

/** The combination as a part of names: `x86_64-web`. */
export function variantOf(combination: Combination): string {
  return [...combination.values()].map((value) => String(value).replaceAll(/[^\w.]+/g, "_")).join("-");
}

type Axis = readonly [name: string, values: readonly Scalar[]];
type Pattern = { readonly values: Combination; readonly at: Path };

const patternKeys = ["include", "exclude"];

function axesOf(matrix: MapNode): readonly Axis[] {
  return [...matrix.entries].flatMap(([name, { node }]): Axis[] => {
    if (patternKeys.includes(name) || node.kind !== "list") return [];
    return [[name, [...new Set(node.items.flatMap(scalarOf))]]];
  });
}

function scalarOf(node: Node): Scalar[] {
  return node.kind === "scalar" && node.value !== null ? [node.value] : [];
}

function patternsOf(matrix: MapNode, key: string): readonly Pattern[] {
  const list = nodeAt(matrix, [key]);
  if (list?.kind !== "list") return [];
  return list.items.flatMap((item, index): Pattern[] => {
    if (item.kind !== "map") return [];
    const entries = [...item.entries].flatMap(([name, { node }]) =>
      scalarOf(node).map((value) => [name, value] as const),
    );
    return [{ values: new Map(entries), at: ["matrix", key, index] }];
  });
}

function* wrongPatterns(
  axes: readonly Axis[],
  patterns: readonly Pattern[],
  isWhole: boolean,
): Iterable<Finding> {
  const names = axes.map(([name]) => name);
  for (const { values, at } of patterns) {
    for (const name of values.keys()) {
      if (name === "region" || names.includes(name)) continue;
      const meant = nearest(name, [...names, "region"]);
      const hint = meant ? `did you mean "${meant}"?` : `it has ${[...names, "region"].join(", ")}`;
      yield {
        code: "matrix-wrong",
        at: [...at, name],
        on: "key",
        message: `the matrix has no "${name}"`,
        hint,
      };
    }
    const missing = names.filter((name) => !values.has(name));
    if (!isWhole || missing.length === 0) continue;
    yield {
      code: "matrix-wrong",
      at,
      message: `a combination that is added needs ${missing.join(", ")} too`,
    };
  }
}

/** Patterns that can match nothing: a value that the matrix does not have, or a region that the spec does not have. */
function* idlePatterns(
  axes: readonly Axis[],
  patterns: readonly Pattern[],
  exclude: readonly Pattern[],
  regions: readonly string[],
): Iterable<Finding> {
  for (const pattern of patterns) {
    for (const [name, value] of pattern.values) {
      const values = name === "region" ? regions : axes.find(([axis]) => axis === name)?.[1];
      if (!values || values.includes(value) || (name !== "region" && !exclude.includes(pattern))) continue;
      // A family of specs may have regions that this one does not build.
      if (name === "region" && knownRegions.includes(String(value))) continue;
      const shown = values.map((one) => JSON.stringify(one)).join(", ");
      const message = `${name} is never ${JSON.stringify(value)} here`;
      yield { code: "matrix-wrong", at: [...pattern.at, name], message, hint: `it is ${shown}` };
    }
  }
}

function regionNamesOf(root: MapNode): readonly string[] {
  const node = nodeAt(root, ["regions"]);
  return node?.kind === "map" ? [...node.entries.keys()] : [];
}

function product(axes: readonly Axis[]): number {
  return axes.reduce((count, [, values]) => count * values.length, 1);
}

function combinations(axes: readonly Axis[]): readonly Combination[] {
  return axes.reduce<readonly Combination[]>(
    (all, [name, values]) => all.flatMap((one) => values.map((value) => new Map([...one, [name, value]]))),
    [new Map()],
  );
}

function matches({ values }: Pattern, combination: Combination, region: string): boolean {
  return [...values].every(([name, value]) => (name === "region" ? region : combination.get(name)) === value);
}
