import { variesBy } from "./shared-values.ts";

/** The same in all images, or in all those of a combination of the matrix, or of a region. */
const same: Readonly<Record<string, number>> = {
  ...Object.fromEntries(["name", "vars", "env", "build"].map((name) => [name, variesBy.nothing])),
  matrix: variesBy.matrix,
  region: variesBy.region,
};

const pure = [
  "file",
  "sha256",
  "base64",
  "string",
  "int",
  "double",
  "bool",
  "size",
  "timestamp",
  "duration",
  "has",
];

/** What a value is different for, by the names and functions in its expression; what is not known counts as all. */
export function variesOf(ast: unknown): number {
  if (Array.isArray(ast))
    return ast.reduce((varies: number, inner) => varies | variesOf(inner), variesBy.nothing);
  if (!isAst(ast)) return variesBy.nothing;
  const { op, args } = ast;
  if (op === "id") return same[String(args)] ?? variesBy.image;
  const isKnown = op !== "call" || (Array.isArray(args) && pure.includes(args[0]));
  return isKnown ? variesOf(args) : variesBy.image;
}

/** Whether an expression may see one of these names of a group. A group used as a whole counts as all of them. */
export function touches(ast: unknown, group: string, names: ReadonlySet<string>): boolean {
  if (names.size === 0) return false;
  if (Array.isArray(ast)) return ast.some((inner) => touches(inner, group, names));
  if (!isAst(ast)) return false;
  const { op, args } = ast;
  if (op === "id") return args === group;
  if (op !== "." || !Array.isArray(args)) return touches(args, group, names);
  const [owner, field] = args;
  return isAst(owner) && owner.op === "id" && owner.args === group
    ? names.has(String(field))
    : touches(owner, group, names);
}

export function isAst(value: unknown): value is { readonly op: unknown; readonly args: unknown } {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}
