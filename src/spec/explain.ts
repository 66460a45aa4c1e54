import { Problem } from "../problem.ts";
import { nearest } from "../util/nearest.ts";
import { type Branch, branchesOf, keysOf, membersOf, resolve, type Schema } from "./written-schema.ts";

/** What the schema says of one key. */
export type Explained = {
  /** As keys are written: `bundle.hygiene`, `regions.*.upload`; empty for the whole spec. */
  readonly path: string;
  /** A schema by itself, with the definitions that it refers to. */
  readonly fragment: Schema;
  /** One for each method of the section, where they differ in this key. */
  readonly branches: readonly Branch[];
};

/**
 * Finds a key: steps are parted by dots; `*`, a number or a name stands for what the user names or counts, and numbers
 * may be left out. Throws `usage-wrong` for a key that is not there, with those that are.
 */
export function explain(root: Schema, path: string): Explained {
  const steps = toSteps(path);
  let found: readonly Branch[] = [{ method: undefined, schema: root }];
  for (const [index, step] of steps.entries()) {
    const inner = distinct(found.flatMap((branch) => enter(root, branch, step)));
    if (inner.length === 0) throw toProblem(root, found, steps, index);
    found = inner;
  }
  const schemas = found.map(({ schema }) => schema);
  const [only = root] = schemas;
  return {
    path: steps.join("."),
    fragment: withDefinitions(root, schemas.length > 1 ? { anyOf: schemas } : only),
    branches: found.flatMap(({ method, schema }) => {
      const inner = branchesOf(schema);
      return inner.length > 1 ? inner : [{ method, schema }];
    }),
  };
}

/** `provision[0].shell` is `provision.0.shell`. */
function toSteps(path: string): readonly string[] {
  return path
    .replaceAll(/\[(\d+|\*)?\]/g, ".$1")
    .split(".")
    .filter((step) => step !== "");
}

function enter(root: Schema, { method, schema }: Branch, step: string): readonly Branch[] {
  const outer = schema.if && step === "method" ? schema.properties?.["method"] : undefined;
  if (outer) return [{ method: undefined, schema: outer }];
  const branches = branchesOf(schema);
  return branches.flatMap((branch) => {
    const inner = child(branch.schema, step);
    if (!inner) return [];
    return [{ method: branches.length > 1 ? branch.method : method, schema: resolve(root, inner) }];
  });
}

function child(schema: Schema, step: string): Schema | undefined {
  const own = schema.properties?.[step];
  if (own) return own;
  const { items } = schema;
  if (!items) return membersOf(schema);
  return /^(\d+|\*)$/.test(step) ? items : child(items, step);
}

/** What is the same in all methods belongs to none. */
function distinct(branches: readonly Branch[]): readonly Branch[] {
  const [first] = branches;
  const isSame = branches.every(({ schema }) => JSON.stringify(schema) === JSON.stringify(first?.schema));
  return first && isSame && branches.length > 1 ? [{ method: undefined, schema: first.schema }] : branches;
}

function toProblem(
  root: Schema,
  around: readonly Branch[],
  steps: readonly string[],
  index: number,
): Problem {
  const step = steps[index] ?? "";
  const before = steps.slice(0, index).join(".");
  const known = [...new Set(around.flatMap(({ schema }) => [...keysOf(schema).keys()]))];
  if (known.length === 0) {
    return new Problem("usage-wrong", `${before} has no keys below it`, {
      hint: `imgspec explain ${before}`,
    });
  }
  const meant = nearest(step, known);
  const paths = meant ? [[...steps.slice(0, index), meant].join(".")] : pathsTo(root, step).slice(0, 5);
  const suggestion = paths.length === 0 ? "" : `did you mean ${paths.join(" or ")}? `;
  return new Problem("usage-wrong", `"${step}" is not a key of ${before || "a spec"}`, {
    hint: `${suggestion}the keys are ${known.join(", ")}`,
  });
}

/** Where in the sections a key of this name is, or of one like it: people remember a key sooner than its way. */
function pathsTo(root: Schema, name: string): readonly string[] {
  const paths = [...pathsBelow(root, root, [])];
  const meant = nearest(name, [...new Set(paths.map((path) => path.at(-1) ?? ""))]);
  return paths.filter((path) => path.at(-1) === meant).map((path) => path.join("."));
}

function* pathsBelow(
  root: Schema,
  schema: Schema,
  path: readonly string[],
): Generator<readonly string[], void> {
  for (const [key, inner] of keysOf(schema)) {
    yield [...path, key];
    // What stands in regions and presets are the sections again.
    if (key !== "regions" && key !== "presets") yield* pathsBelow(root, resolve(root, inner), [...path, key]);
  }
}

function withDefinitions(root: Schema, fragment: Schema): Schema {
  const names = Object.keys(root.definitions ?? {}).filter((name) =>
    JSON.stringify(fragment).includes(`"#/definitions/${name}"`),
  );
  if (names.length === 0 || fragment.definitions) return fragment;
  const definitions = Object.fromEntries(names.map((name) => [name, root.definitions?.[name] ?? {}]));
  return { ...fragment, definitions };
}
