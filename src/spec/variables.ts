import type { Diagnostic, Place } from "../diagnostic.ts";
import { type Node, nodeAt, type PlainValue, toValue } from "../document/node.ts";
import { Problem } from "../problem.ts";
import { nearest } from "../util/nearest.ts";
import { whyNoPattern } from "../util/pattern.ts";
import { diagnosticAt, type Finding } from "./finding.ts";
import { type Declaration, toTyped, typeOf, type Value, whatIsWrong } from "./variable-value.ts";

/** What is given to a spec from outside. */
export type Given = {
  /** By `--var`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Of `--var-file`: maps of names and values, the last the strongest. */
  readonly variableFiles?: readonly Node[];
  readonly environment: NodeJS.ProcessEnv;
};

export type Variables = {
  /** Null: told to be missing or wrong. */
  readonly values: ReadonlyMap<string, Value | null>;
  readonly sensitive: ReadonlySet<string>;
  /** The values of the sensitive ones, as `vars.NAME`. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly findings: readonly Finding[];
  /** Of what is wrong in files of variables. */
  readonly diagnostics: readonly Diagnostic[];
};

/**
 * The values of the declared variables: from `--var`, else from a `--var-file`, else from IMGSPEC_VAR_<name>, else the
 * default. A declaration that is not sound has no value. Throws `usage-wrong` for a `--var` that is not declared.
 */
export function toVariables(root: Node, given: Given, isSound: (name: string) => boolean): Variables {
  const declared = declarationsOf(root);
  refuseUndeclared(Object.keys(given.variables), [...declared.keys()]);
  const values = new Map<string, Value | null>();
  const findings: Finding[] = [];
  const diagnostics: Diagnostic[] = [...undeclaredInFiles(given.variableFiles ?? [], [...declared.keys()])];
  for (const [name, declaration] of declared) {
    const taken = isSound(name) ? take(name, declaration, given) : { value: null };
    values.set(name, "value" in taken ? taken.value : null);
    if ("place" in taken) diagnostics.push(diagnosticAt(taken.place, taken.finding));
    else if ("finding" in taken) findings.push(taken.finding);
  }
  const sensitive = new Set(
    [...declared].flatMap(([name, declaration]) => (declaration.sensitive ? [name] : [])),
  );
  const secrets = new Map(
    [...values].flatMap(([name, value]) =>
      sensitive.has(name) ? [...secretsOf(`vars.${name}`, value)] : [],
    ),
  );
  return { values, sensitive, secrets, findings, diagnostics };
}

/** A value, or each text in a list or map: a port or a switch beside a password is no secret, and masking it would blot out all else. */
function* secretsOf(name: string, value: PlainValue | Value | null): Iterable<readonly [string, string]> {
  if (value === null || value === "") return;
  if (typeof value !== "object") yield [name, String(value)];
  else
    for (const [key, inner] of Object.entries(value)) {
      if (typeof inner === "string" || typeof inner === "object")
        yield* secretsOf(`${name}[${JSON.stringify(key)}]`, inner as PlainValue);
    }
}

/** A declared variable that nobody gives a value. */
export type Missing = {
  readonly name: string;
  readonly description: string | undefined;
  readonly choices: readonly string[] | undefined;
  readonly sensitive: boolean;
};

/** The variables that must be given and are not. */
export function missingVariables(root: Node, given: Given): readonly Missing[] {
  return [...declarationsOf(root)].flatMap(([name, declaration]) => {
    const isGiven =
      declaration.default !== undefined ||
      Object.hasOwn(given.variables, name) ||
      fromFiles(name, given) !== undefined ||
      given.environment[`IMGSPEC_VAR_${name}`] !== undefined;
    const { description, enum: choices, sensitive = false } = declaration;
    // The schema has not been asked yet.
    const said = typeof description === "string" ? description : undefined;
    const listed = Array.isArray(choices) ? choices.map(String) : undefined;
    return isGiven ? [] : [{ name, description: said, choices: listed, sensitive: sensitive === true }];
  });
}

function fromFiles(name: string, { variableFiles = [] }: Given): Node | undefined {
  return variableFiles.map((file) => nodeAt(file, [name])).findLast((found) => found !== undefined);
}

type Taken =
  | { readonly value: Value | null }
  | { readonly finding: Finding }
  /** It is wrong where it is given, not where it is declared. */
  | { readonly finding: Finding; readonly place: Place };

function take(name: string, declaration: Declaration, given: Given): Taken {
  const wrongPattern = declaration.pattern === undefined ? undefined : whyNoPattern(declaration.pattern);
  if (wrongPattern !== undefined) {
    const message = `variables.${name}.pattern is not a regular expression: ${wrongPattern}`;
    return { finding: { code: "pattern-wrong", at: ["variables", name, "pattern"], message } };
  }
  if (Object.hasOwn(given.variables, name)) return toGiven(name, declaration, given.variables[name] ?? "");
  const node = fromFiles(name, given);
  if (node) return toFiled(name, declaration, node);
  const text = given.environment[`IMGSPEC_VAR_${name}`];
  if (text !== undefined) return toGiven(name, declaration, text);
  if (declaration.default === undefined) {
    const hint = `set it with --var ${name}=… or IMGSPEC_VAR_${name}, or give it a default`;
    const message = `the variable "${name}" is not set`;
    return { finding: { code: "variable-missing", at: ["variables", name], on: "key", message, hint } };
  }
  const value = declaration.default as Value;
  const wrong = whatIsWrong(value, declaration);
  if (wrong === undefined) return { value };
  const { code, message } = toWrong(name, "the default", wrong);
  const isSecret = declaration.sensitive === true;
  return { finding: { code, message, at: ["variables", name, "default"], isSecret } };
}

function toGiven(name: string, declaration: Declaration, text: string): Taken {
  const value = toTyped(text, declaration);
  const wrong = value === undefined ? `is not a ${typeOf(declaration)}` : whatIsWrong(value, declaration);
  if (value !== undefined && wrong === undefined) return { value };
  return { finding: toWrong(name, declaration.sensitive ? "its value" : `"${text}"`, wrong ?? "") };
}

function toFiled(name: string, declaration: Declaration, node: Node): Taken {
  const value = toValue(node);
  const wrong = value === null ? "is empty" : whatIsWrong(value as Value, declaration);
  if (wrong === undefined) return { value: value as Value };
  const quoted = typeof value === "string" && !declaration.sensitive ? `"${value}"` : "its value";
  return { finding: toWrong(name, quoted, wrong), place: node.place };
}

function toWrong(name: string, what: string, wrong: string): Finding {
  return {
    code: "variable-wrong",
    at: ["variables", name],
    on: "key",
    message: `the variable "${name}": ${what} ${wrong}`,
  };
}

function* undeclaredInFiles(files: readonly Node[], declared: readonly string[]): Iterable<Diagnostic> {
  for (const file of files) {
    for (const [name, { keyPlace }] of file.kind === "map" ? file.entries : []) {
      if (declared.includes(name)) continue;
      const meant = nearest(name, declared);
      const message = `the spec declares no variable "${name}"`;
      yield diagnosticAt(keyPlace, {
        code: "variable-undeclared",
        message,
        hint: meant ? `did you mean "${meant}"?` : toKnown(declared),
      });
    }
  }
}

function toKnown(declared: readonly string[]): string {
  return declared.length > 0 ? `it declares ${declared.join(", ")}` : "it declares none";
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
    throw new Problem("usage-wrong", `the spec declares no variable "${name}"`, {
      hint: meant ? `did you mean --var ${meant}=…?` : toKnown(declared),
    });
  }
}
