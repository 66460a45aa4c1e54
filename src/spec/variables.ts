import { type Node, nodeAt, toValue } from "../document/node.ts";
import { Problem } from "../problem.ts";
import { nearest } from "../util/nearest.ts";
import type { Finding } from "./finding.ts";
import type { WrittenSpec } from "./spec.gen.ts";

export type Value = string | number | boolean;
type Declaration = NonNullable<NonNullable<WrittenSpec["variables"]>[string]>;

/** What is given to a spec from outside. */
export type Given = {
  /** By `--var`. */
  readonly variables: Readonly<Record<string, string>>;
  readonly environment: NodeJS.ProcessEnv;
};

export type Variables = {
  /** Null: told to be missing or wrong. */
  readonly values: ReadonlyMap<string, Value | null>;
  readonly sensitive: ReadonlySet<string>;
  /** The values of the sensitive ones, as `vars.NAME`. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
};

/**
 * The values of the declared variables: from `--var`, else from IMGSPEC_VAR_<name>, else the default.
 * A declaration that is not sound has no value. Throws `usage-wrong` for a `--var` that is not declared.
 */
export function toVariables(root: Node, given: Given, isSound: (name: string) => boolean): Variables {
  const declared = declarationsOf(root);
  refuseUndeclared(Object.keys(given.variables), [...declared.keys()]);
  const values = new Map<string, Value | null>();
  const findings: Finding[] = [];
  for (const [name, declaration] of declared) {
    const taken = isSound(name) ? take(name, declaration, given) : null;
    values.set(name, isValue(taken) ? taken : null);
    if (taken !== null && !isValue(taken)) findings.push(taken);
  }
  const sensitive = new Set(
    [...declared].flatMap(([name, declaration]) => (declaration.sensitive ? [name] : [])),
  );
  const secrets = new Map(
    [...values].flatMap(([name, value]) =>
      sensitive.has(name) && value !== null && value !== "" ? [[`vars.${name}`, String(value)] as const] : [],
    ),
  );
  return { values, sensitive, secrets, findings };
}

function isValue(taken: Value | Finding | null): taken is Value {
  return typeof taken !== "object";
}

function take(name: string, declaration: Declaration, { variables, environment }: Given): Value | Finding {
  if (declaration.pattern !== undefined && !toRegExp(declaration.pattern)) {
    const message = `variables.${name}.pattern is not a regular expression`;
    return { code: "wrong-value", at: ["variables", name, "pattern"], message };
  }
  const text = Object.hasOwn(variables, name) ? variables[name] : environment[`IMGSPEC_VAR_${name}`];
  const value = text === undefined ? declaration.default : toTyped(text, declaration);
  if (text === undefined && value === undefined) {
    const hint = `set it with --var ${name}=… or IMGSPEC_VAR_${name}, or give it a default`;
    const message = `the variable "${name}" is not set`;
    return { code: "variable-missing", at: ["variables", name], on: "key", message, hint };
  }
  const wrong = value === undefined ? `is not a ${typeOf(declaration)}` : whatIsWrong(value, declaration);
  return value !== undefined && wrong === undefined ? value : toWrong(name, wrong ?? "", text, declaration);
}

function declarationsOf(root: Node): ReadonlyMap<string, Declaration> {
  const node = nodeAt(root, ["variables"]);
  if (node?.kind !== "map") return new Map();
  return new Map(
    [...node.entries].map(([name, { node: inner }]) => {
      // A cast from what the schema checks; what it refuses is not looked into.
      return [name, inner.kind === "map" ? (toValue(inner) as unknown as Declaration) : {}];
    }),
  );
}

function refuseUndeclared(given: readonly string[], declared: readonly string[]): void {
  for (const name of given) {
    if (declared.includes(name)) continue;
    const meant = nearest(name, declared);
    const known = declared.length > 0 ? `it declares ${declared.join(", ")}` : "it declares none";
    throw new Problem("usage-wrong", `the spec declares no variable "${name}"`, {
      hint: meant ? `did you mean --var ${meant}=…?` : known,
    });
  }
}

function typeOf({ type, default: standard }: Declaration): "string" | "number" | "boolean" {
  if (type) return type;
  if (typeof standard === "number") return "number";
  return typeof standard === "boolean" ? "boolean" : "string";
}

function toTyped(text: string, declaration: Declaration): Value | undefined {
  const type = typeOf(declaration);
  if (type === "string") return text;
  if (type === "boolean") return text === "true" || (text === "false" ? false : undefined);
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
}

function whatIsWrong(value: Value, declaration: Declaration): string | undefined {
  const { enum: choices, pattern } = declaration;
  const type = typeOf(declaration);
  if (typeof value !== type) return `is not a ${type}`;
  if (choices && !choices.includes(value))
    return `is not one of ${choices.map((word) => `"${word}"`).join(", ")}`;
  if (pattern !== undefined && !toRegExp(pattern)?.test(String(value))) return `does not match ${pattern}`;
  return undefined;
}

function toWrong(name: string, wrong: string, text: string | undefined, { sensitive }: Declaration): Finding {
  const shown = text === undefined ? "the default" : sensitive ? "its value" : `"${text}"`;
  const at = text === undefined ? ["variables", name, "default"] : ["variables", name];
  return {
    code: "variable-wrong",
    at,
    ...(text === undefined ? {} : { on: "key" }),
    message: `the variable "${name}": ${shown} ${wrong}`,
  };
}

function toRegExp(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
