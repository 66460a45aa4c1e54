import type { ErrorObject } from "ajv";
import { toFlow } from "../document/flow.ts";
import { type Node, nodeAt, type Path, type PlainValue } from "../document/node.ts";
import { nearest } from "../util/nearest.ts";
import type { Finding } from "./finding.ts";

export type Validator = ((value: unknown) => boolean) & { errors?: ErrorObject[] | null };

/** A finding of the schema, which always has a path. */
export type Refusal = Finding & { readonly at: Path };

/**
 * Checks a value against a compiled schema, one finding a mistake. The validator may fill in defaults in `value`.
 * `root` is where the value comes from: what is broken there is not told again. `kinds`: of steps, besides those of the schema.
 */
export function check(
  validate: Validator,
  value: PlainValue,
  root: Node,
  kinds: readonly string[] = [],
): readonly Refusal[] {
  if (validate(value)) return [];
  return withoutRepeats((validate.errors ?? []).flatMap((error) => toFinding(error, root, kinds) ?? []));
}

/** One value can fail several keywords at once; the first of them says enough. */
export function withoutRepeats(findings: readonly Refusal[]): readonly Refusal[] {
  return [
    ...new Map(findings.map((finding) => [toGist(finding), finding] as const).reverse()).values(),
  ].reverse();
}

function toGist({ code, on, at }: Refusal): string {
  return JSON.stringify([code, on, ...at]);
}

/** A path as it is written about: `provision[0].shell.env.NAME`. */
export function toLabel(path: Path): string {
  const shown = path[0] === "regions" && path.length > 2 ? path.slice(2) : path;
  return shown
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

/** An error in words; `undefined` where another says it. */
export function toFinding(
  error: ErrorObject,
  root: Node,
  kinds: readonly string[] = [],
): Refusal | undefined {
  // The other branch of an anyOf says only that the value could also be an expression.
  if (error.keyword === "anyOf" || /\/(anyOf\/1|oneOf\/\d+)\//.test(error.schemaPath)) return undefined;
  if (error.schemaPath.includes("/propertyNames/")) return undefined;
  const at = toPath(error.instancePath, root);
  const node = nodeAt(root, at);
  if (node?.kind === "scalar" && (node.broken || node.secret !== undefined)) return undefined;
  const name = toLabel(at) || "the spec";
  const finding = translations[error.keyword]?.({ error, at, node, name, kinds: isStep(at) ? kinds : [] });
  return finding ? { at, ...finding } : undefined;
}

/** In the list under `provision`, or in what is added to it. */
function isStep(at: Path): boolean {
  const lists = ["provision", "prepend", "append"];
  return typeof at.at(-1) === "number" && lists.includes(String(at.at(-2))) && at.includes("provision");
}

/** The path of a JSON pointer into a document. */
export function toPath(pointer: string, root: Node): Path {
  const path: (string | number)[] = [];
  for (const part of pointer.split("/").slice(1)) {
    const step = part.replaceAll("~1", "/").replaceAll("~0", "~");
    path.push(nodeAt(root, path)?.kind === "list" ? Number(step) : step);
  }
  return path;
}

type Failed = {
  readonly error: ErrorObject;
  readonly at: Path;
  readonly node: Node | undefined;
  readonly name: string;
  /** Of steps, besides those of the schema, where it is one. */
  readonly kinds: readonly string[];
};
type Said = Omit<Refusal, "at"> & { readonly at?: Path };

const translations: Readonly<Record<string, (failed: Failed) => Said | undefined>> = {
  additionalProperties: (failed) => {
    const { error, at, name, kinds } = failed;
    if (addsToList(error)) return toNoList(failed);
    const key = String(error.params["additionalProperty"]);
    const own = Object.keys((error.parentSchema?.["properties"] as object | undefined) ?? {});
    const known = [...kinds, ...own];
    const meant = nearest(key, known);
    return {
      code: "unknown-key",
      at: [...at, key],
      on: "key",
      message: `"${key}" is not a key of ${name}`,
      hint: meant ? `did you mean "${meant}"?` : `the keys are ${known.join(", ")}`,
    };
  },
  required: ({ error, at, name }) => toMissing(error, at, name, String(error.params["missingProperty"])),
  type: ({ error, node, name }) => {
    const isForm = (type: string): boolean => type === "null" || (type === "object" && addsToList(error));
    const types = [error.schema as string | string[]].flat().filter((type) => !isForm(type));
    const raw = node?.kind === "scalar" && typeof node.value !== "string" ? node.raw : undefined;
    return {
      code: "wrong-type",
      message: `${name} must be ${types.map((type) => typeNames[type] ?? type).join(" or ")}, not ${kindOf(node)}`,
      hint: types.includes("string") && raw ? `quote it: "${raw}"` : exampleOf(error),
    };
  },
  enum: ({ error, node, name }) => {
    const allowed = (error.schema as unknown[]).filter((choice) => choice !== null).map(String);
    const written = node?.kind === "scalar" ? String(node.value) : "";
    const meant = nearest(written, allowed);
    return {
      code: "wrong-value",
      message: `${name} must be ${toChoice(allowed)}`,
      hint: meant && meant !== written ? `did you mean "${meant}"?` : undefined,
    };
  },
  const: ({ error }) => ({
    code: "version-unknown",
    message: `imgspec must be ${JSON.stringify(error.schema)}, the version of the language that this program knows`,
  }),
  pattern: ({ error, name }) => ({
    code: "wrong-value",
    message: `${name} ${error.parentSchema?.["patternErrorMessage"] ?? `must match ${String(error.schema)}`}`,
  }),
  oneOf: ({ error, at, node, name, kinds: others }) => {
    if (node?.kind !== "map") return undefined;
    const required = (error.schema as { required: string[] }[]).flatMap((choice) => choice.required);
    const kinds = required.filter((kind) => kind !== "if");
    const passing = error.params["passingSchemas"] as number[] | null;
    const [only = ""] = kinds;
    const thing = at.at(-2) === "that" ? "assertion" : "step";
    if (kinds.length === 1) return toMissing(error, at, name, only);
    if (passing === null) {
      const message = `${name} needs a key that says what kind of ${thing} it is`;
      return { code: "step-ambiguous", message, hint: `it is one of ${[...kinds, ...others].join(", ")}` };
    }
    const [first = "", second = ""] = passing.map((index) => kinds[index] ?? "");
    return toAmbiguous(at, first, second, thing);
  },
  propertyNames: ({ error, at }) => {
    const key = String(error.params["propertyName"]);
    const rule = (error.schema as { patternErrorMessage?: string }).patternErrorMessage;
    const message = `"${key}" ${rule ?? "is not a name that can be here"}`;
    return { code: "wrong-value", at: [...at, key], on: "key", message };
  },
  minimum: ({ error, name }) => ({
    code: "wrong-value",
    message: `${name} must be at least ${String(error.schema)}`,
  }),
  maximum: ({ error, name }) => ({
    code: "wrong-value",
    message: `${name} must be at most ${String(error.schema)}`,
  }),
  maxLength: ({ error, name }) => ({
    code: "wrong-value",
    message: `${name} must have at most ${String(error.schema)} characters`,
  }),
  minLength: ({ name }) => ({ code: "wrong-value", message: `${name} must not be empty` }),
  minItems: ({ name }) => ({ code: "wrong-value", message: `${name} must not be empty` }),
  minProperties: (failed) => {
    const { error, name } = failed;
    if (addsToList(error)) return toNoList(failed);
    return {
      code: name === "regions" ? "region-missing" : "wrong-value",
      message: `${name} must not be empty`,
      hint: name === "regions" ? "add at least one, such as us-east-1: {}" : exampleOf(error),
    };
  },
  uniqueItems: ({ error, at, name }) => ({
    code: "wrong-value",
    at: [...at, Number(error.params["i"])],
    message: `${name} has the same value twice`,
  }),
};

/** A step, or an assertion, with two keys that say what kind it is. */
export function toAmbiguous(at: Path, first: string, second: string, thing: "step" | "assertion"): Refusal {
  return {
    code: "step-ambiguous",
    at: [...at, second],
    on: "key",
    message: `${toLabel(at)} is ${first} and ${second} at once`,
    hint: `${thing === "step" ? "a" : "an"} ${thing} has one key that says what kind it is; put a "-" before the next one`,
  };
}

/** Whether what failed may be a list, and a map only where that adds to one. */
function addsToList({ parentSchema }: ErrorObject): boolean {
  const properties = parentSchema?.["properties"] as object | undefined;
  return properties !== undefined && Object.keys(properties).join() === "prepend,append";
}

function toMissing(error: ErrorObject, at: Path, name: string, key: string): Said {
  const message = `${name} needs the key "${key}"`;
  return { code: "missing-key", at: [...at, key], on: "key", message, hint: exampleOf(error, key) };
}

function toNoList({ error, name }: Failed): Said {
  return { code: "wrong-type", message: `${name} must be a list, not a map`, hint: exampleOf(error) };
}

const typeNames: Readonly<Record<string, string>> = {
  string: "text",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "a map",
  array: "a list",
};

function kindOf(node: Node | undefined): string {
  if (!node || node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "empty";
  if (typeof node.value === "boolean") return `${node.value}`;
  return typeof node.value === "number" ? "a number" : "text";
}

function toChoice(words: readonly string[]): string {
  const quoted = words.map((word) => `"${word}"`);
  return quoted.length < 2 ? quoted.join("") : `${quoted.slice(0, -1).join(", ")} or ${quoted.at(-1)}`;
}

/** What the schema shows as an example of the key, or of the value itself. */
function exampleOf(error: ErrorObject, key?: string): string | undefined {
  const properties = error.parentSchema?.["properties"] as
    | { [name: string]: { examples?: unknown[] } }
    | undefined;
  const examples = key === undefined ? error.parentSchema?.["examples"] : properties?.[key]?.examples;
  const [example] = (examples as unknown[] | undefined) ?? [];
  if (example === undefined) return undefined;
  return `such as ${key === undefined ? "" : `${key}: `}${toFlow(example)}`;
}
