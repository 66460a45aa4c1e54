import { Problem } from "../../problem.ts";
import { type Piece, toVariableName } from "../pieces.ts";
import { call } from "./functions.ts";
import { celOf, celText, type Lowered, literalOf, none, piecesOf, textOf } from "./lowered.ts";
import type { Expression } from "./syntax.ts";

/** What the names of an expression stand for. */
export type Scope = {
  /** Variables, and whether each is a text. */
  readonly variables: ReadonlyMap<string, boolean>;
  readonly locals: ReadonlyMap<string, Expression>;
  /** Of the builder that a provisioner is for. */
  readonly builder: string;
  /** What is left to be looked at: locals that name each other twice grow without end. */
  readonly budget: { left: number };
};

/** Locals in locals in locals. */
const maxLocals = 40;

/** Makes of an expression what a spec has for it. */
export function lower(expression: Expression, scope: Scope, depth = 0): Lowered {
  scope.budget.left -= 1;
  if (scope.budget.left < 0)
    throw new Problem("spec-invalid", `"${expression.place.path}" stands for too many values`, {
      hint: "use fewer locals of locals",
    });
  const inner = (of: Expression): Lowered => lower(of, scope, depth);
  switch (expression.kind) {
    case "literal":
      return { kind: "plain", value: expression.value };
    case "template":
      return toText(expression.parts, inner);
    case "list":
      return { kind: "list", items: expression.items.map(inner) };
    case "object": {
      const entries = expression.entries.map(({ key, value }) => [keyOf(key, inner), inner(value)] as const);
      return {
        kind: "map",
        entries: entries.filter((entry): entry is [string, Lowered] => entry[0] !== undefined),
      };
    }
    case "call":
      return call(expression.name, expression.given.map(inner));
    case "operation":
      return toOperation(expression.sign, expression.of.map(inner));
    case "index":
      return toIndex(inner(expression.of), inner(expression.key));
    case "other":
      return none(`imgspec has nothing like ${expression.what}`);
    case "member":
    case "name":
      return toNamed(pathOf(expression), scope, depth) ?? toMember(expression, inner);
  }
}

/** A text, of whose parts a single one that is no text keeps its type. */
function toText(parts: readonly (string | Expression)[], inner: (of: Expression) => Lowered): Lowered {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== "string") {
    const value = inner(only);
    return value.kind === "plain" ? textOf(String(value.value)) : value;
  }
  const pieces: Piece[] = [];
  for (const part of parts) {
    const lowered = typeof part === "string" ? textOf(part) : inner(part);
    if (lowered.kind === "none") return lowered;
    const found = piecesOf(lowered);
    if (!found) return none("a list or a map stands in a text");
    pieces.push(...found);
  }
  return { kind: "text", pieces };
}

function keyOf(key: Expression, inner: (of: Expression) => Lowered): string | undefined {
  return key.kind === "name" ? key.name : literalOf(inner(key));
}

function toOperation(sign: string, of: readonly Lowered[]): Lowered {
  const failed = of.find(({ kind }) => kind === "none");
  if (failed) return failed;
  const parts = of.map(celOf);
  if (parts.includes(undefined)) return none("an operator stands between lists or maps");
  const [a, b, c] = parts;
  if (sign === "?") return { kind: "cel", cel: `(${a} ? ${b} : ${c})`, isText: false };
  return { kind: "cel", cel: parts.length === 1 ? `${sign}(${a})` : `(${a} ${sign} ${b})`, isText: false };
}

function toIndex(of: Lowered, key: Lowered): Lowered {
  if (of.kind === "none") return of;
  if (of.kind === "list" && key.kind === "plain")
    return of.items[Number(key.value)] ?? none("the list is shorter");
  const name = literalOf(key);
  if (of.kind === "map" && name !== undefined) return memberOf(of, name);
  const [list, index] = [celOf(of), celOf(key)];
  if (list === undefined || index === undefined) return none("what is chosen is not known");
  return { kind: "cel", cel: `${list}[${index}]`, isText: false };
}

function toMember(expression: Expression, inner: (of: Expression) => Lowered): Lowered {
  if (expression.kind !== "member") return none(`imgspec does not know "${nameOf(expression)}"`);
  const of = inner(expression.of);
  if (of.kind === "map") return memberOf(of, expression.name);
  if (of.kind === "cel" && /^\w+$/.test(expression.name))
    return { kind: "cel", cel: `${of.cel}.${expression.name}`, isText: false };
  return of.kind === "none" ? of : none(`there is no ${expression.name} in it`);
}

function memberOf({ entries }: Extract<Lowered, { kind: "map" }>, name: string): Lowered {
  return entries.findLast(([key]) => key === name)?.[1] ?? none(`the map has no ${name}`);
}

/** The words of `a.b.c`. */
export function pathOf(expression: Expression): readonly string[] {
  if (expression.kind === "name") return [expression.name];
  if (expression.kind !== "member") return [];
  const before = pathOf(expression.of);
  return before.length === 0 ? [] : [...before, expression.name];
}

function nameOf(expression: Expression): string {
  return pathOf(expression).join(".");
}

/** What a name stands for; `undefined` for one that is a member of something longer. */
function toNamed(path: readonly string[], scope: Scope, depth: number): Lowered | undefined {
  const [root = "", name, ...rest] = path;
  if (name === undefined) return undefined;
  const isFirst = rest.length === 0;
  if (isFirst && root === "var") return toVariable(name, scope);
  if (isFirst && root === "local") return toLocal(name, scope, depth);
  if (isFirst && Object.hasOwn(fixed, `${root}.${name}`)) return fixed[`${root}.${name}`]?.(scope);
  return ["data", "build", "packer", "source"].includes(root)
    ? none(`${root}.${name} is known only to Packer`)
    : undefined;
}

function toVariable(name: string, { variables }: Scope): Lowered {
  const isText = variables.get(name);
  if (isText === undefined) return none(`the template declares no variable "${name}"`);
  return { kind: "cel", cel: `vars.${toVariableName(name)}`, isText };
}

function toLocal(name: string, scope: Scope, depth: number): Lowered {
  const local = scope.locals.get(name);
  if (!local) return none(`the template has no local "${name}"`);
  return depth >= maxLocals ? none("a local stands for itself") : lower(local, scope, depth + 1);
}

const fixed: Readonly<Record<string, (scope: Scope) => Lowered>> = {
  // Relative paths of a spec are relative to it, as those of the template then are.
  "path.root": () => textOf("."),
  "path.cwd": () => textOf("."),
  "source.name": ({ builder }) => textOf(builder),
  "source.type": () => textOf("amazon-instance"),
  "build.name": ({ builder }) => textOf(builder),
  "build.ID": () => celText("build.id"),
  "build.PackerRunUUID": () => celText("build.id"),
};
