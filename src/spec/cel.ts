import { Environment } from "@marcbachmann/cel-js";
import type { PlainValue } from "../document/node.ts";
import { nearest } from "../util/nearest.ts";
import { touches, variesOf } from "./cel-ast.ts";
import { addPatterns, newTimeLeft, PatternFault, run, type TimeLeft, withWrittenNames } from "./cel-run.ts";
import type { DiagnosticCode } from "./diagnostics.ts";
import type { Evaluation, Evaluator, Marks, Named, Scope } from "./evaluate.ts";
import { addFunctions } from "./functions.ts";

/**
 * An evaluator of CEL over a scope. Expressions are checked against the names and types of the scope before they run.
 * The only module that loads the CEL library; import it when a spec has expressions. `files` reads a local file that is
 * named in the file `from`.
 */
export function toEvaluator(scope: Scope, marks: Marks, files: Files): Evaluator {
  const made = withFunctions(files);
  const environment = made.environment.clone();
  const context: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(scope)) {
    if (typeof value === "string") {
      environment.registerVariable(name, "string");
      context[name] = value;
    } else {
      const schema = Object.fromEntries(
        [...value].map(([key, inner]) => [key, nullable.has(`${name}.${key}`) ? "dyn" : celTypeOf(inner)]),
      );
      environment.registerVariable({ name, schema });
      context[name] = new Map([...value].map(([key, inner]) => [key, toCel(inner)]));
    }
  }
  // The same expression stands in many places of one image, and means the same in all those of one file.
  const known = new Map<string, Evaluation>();
  return (cel, path) => {
    const key = `${path}\0${cel}`;
    made.writtenIn = path;
    const evaluation =
      known.get(key) ?? evaluate(cel, { environment, context, scope, marks, left: made.left });
    known.set(key, evaluation);
    return evaluation;
  };
}

/** Made once for all images of a spec: it takes longer than what most expressions do. */
function withFunctions(files: Files): Made {
  const known = environments.get(files);
  if (known) return known;
  const environment = new Environment({ limits: { maxAstNodes: 2000, maxDepth: 100 } });
  const made: Made = { environment, writtenIn: "", left: newTimeLeft() };
  addPatterns(environment);
  addFunctions(environment, (path) => files(path, made.writtenIn));
  environments.set(files, made);
  return made;
}

type Files = (path: string, from: string) => string;

/** Evaluation does not wait for anything, so one place is enough for the file in which what is evaluated is written. */
type Made = { readonly environment: Environment; writtenIn: string; readonly left: TimeLeft };

const environments = new WeakMap<Files, Made>();

type World = {
  readonly environment: Environment;
  readonly context: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly marks: Marks;
  readonly left: TimeLeft;
};

function evaluate(cel: string, { environment, context, scope, marks, left }: World): Evaluation {
  const checked = environment.check(cel);
  if (!checked.valid) return toFault(checked.error, cel, scope);
  const { ast } = environment.parse(cel);
  if (touches(ast, "vars", marks.unsetVariables) || touches(ast, "env", marks.unsetEnvironment))
    return { kind: "unknown" };
  const sensitive = touches(ast, "vars", marks.sensitive);
  try {
    return {
      kind: "value",
      value: fromCel(run(cel, environment, context, left)),
      sensitive,
      varies: variesOf(ast),
    };
  } catch (error) {
    const fault = toFault(error, cel, scope);
    // What a function says of its argument may quote it.
    return sensitive ? { ...fault, message: "the expression has no value" } : fault;
  }
}

/** Text in one region and null in another: checked when it is evaluated. */
const nullable: ReadonlySet<string> = new Set(["region.certificate"]);

function celTypeOf(value: Named | null): string {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "double";
  if (value instanceof Date) return "google.protobuf.Timestamp";
  // What is inside is known when it is evaluated.
  if (Array.isArray(value)) return "list";
  return value === null ? "dyn" : "map";
}

function toCel(value: unknown): unknown {
  if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return new Map(Object.entries(value).map(([key, inner]) => [key, toCel(inner)]));
}

/** Throws on what YAML has no word for, such as bytes. */
function fromCel(value: unknown): PlainValue {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(fromCel);
  if (
    value instanceof Map ||
    (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
  ) {
    const entries = value instanceof Map ? [...value.entries()] : Object.entries(value);
    return Object.fromEntries(entries.map(([key, inner]) => [String(key), fromCel(inner)]));
  }
  throw new Error("the result is neither text, a number, true or false, a list nor a map");
}

type CelError = {
  readonly code?: string;
  readonly message?: string;
  readonly summary?: string;
  readonly cause?: unknown;
  readonly range?: Range;
  readonly node?: { readonly args?: readonly [string, unknown, readonly { readonly range?: Range }[]] };
};

type Range = { readonly start: number; readonly end: number };

const codes: Readonly<Record<string, DiagnosticCode>> = {
  no_such_key: "expression-unknown-name",
  unknown_variable: "expression-unknown-name",
};

const codesOfClasses: Readonly<Record<string, DiagnosticCode>> = {
  ParseError: "expression-invalid",
  TypeError: "expression-wrong-type",
};

type Fault = Evaluation & { readonly kind: "fault" };

function toFault(error: unknown, cel: string, scope: Scope): Fault {
  const { code: celCode = "", cause } = error as CelError;
  const range = rangeOf(error as CelError) ?? { start: 0, end: cel.length };
  const { start } = range;
  const end = Math.max(range.end, start + 1);
  const name = error instanceof Error ? error.constructor.name : "";
  const known = cause instanceof PatternFault ? "pattern-wrong" : codes[celCode];
  const code = known ?? codesOfClasses[name] ?? "expression-failed";
  const said = (sayings[celCode] ?? sayOtherwise)({
    error: error as CelError,
    cel,
    word: cel.slice(start, end),
    start,
    scope,
  });
  return { kind: "fault", start, end, code, ...said };
}

/** A pattern is the first argument of what failed. */
function rangeOf({ cause, range, node }: CelError): Range | undefined {
  return cause instanceof PatternFault ? (node?.args?.[2]?.[0]?.range ?? range) : range;
}

type Failed = {
  readonly error: CelError;
  readonly cel: string;
  /** What the error is about, and where it begins. */
  readonly word: string;
  readonly start: number;
  readonly scope: Scope;
};
type Said = { readonly message: string; readonly hint?: string | undefined };

const sayings: Readonly<Record<string, (failed: Failed) => Said>> = {
  unknown_variable: ({ word, scope }) => ({
    message: `there is no "${word}" in expressions`,
    hint: toHint(word, Object.keys(scope)),
  }),
  no_such_key: ({ cel, word, start, scope }) => {
    const owner = /(\w+)\s*(?:\.|\[)\s*["']?$/.exec(cel.slice(0, start))?.[1] ?? "";
    const names = scope[owner];
    const known = names instanceof Map ? [...names.keys()].map(String) : [];
    const isGit = owner === "build" && ["commit", "dirty"].includes(word);
    const hint = known.length > 0 ? toHint(word, known) : emptyHints[owner];
    if (isGit)
      return {
        message: `build.${word} is not known`,
        hint: "the spec lies in no Git repository with a commit",
      };
    return { message: `there is no "${word}" in ${owner || "this map"}`, hint };
  },
  no_such_overload: (failed) => {
    const { message } = sayOtherwise(failed);
    return { message, hint: message.includes("string") ? "string(…) makes text of a value" : undefined };
  },
  unexpected_token: (failed) => {
    if (failed.start < failed.cel.length) return sayOtherwise(failed);
    return { message: failed.cel === "" ? "the expression is empty" : "the expression ends too early" };
  },
};

function sayOtherwise({ error }: Failed): Said {
  const text = error.summary ?? error.message ?? "the expression has no value";
  return { message: withWrittenNames(text.slice(0, 1).toLowerCase() + text.slice(1)) };
}

const emptyHints: Readonly<Record<string, string>> = {
  vars: "declare it under variables",
  env: "list its name under env",
};

function toHint(word: string, known: readonly string[]): string {
  const meant = nearest(word, known);
  return meant
    ? `did you mean "${meant}"?`
    : `there ${known.length === 1 ? "is" : "are"} ${known.join(", ")}`;
}
