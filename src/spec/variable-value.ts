import { toDocument } from "../document/document.ts";
import { type PlainValue, toValue } from "../document/node.ts";
import { toPattern } from "../util/pattern.ts";
import type { WrittenSpec } from "./spec.gen.ts";

export type Value =
  | string
  | number
  | boolean
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };
export type Declaration = NonNullable<NonNullable<WrittenSpec["variables"]>[string]>;
type Type = NonNullable<Declaration["type"]>;

export function typeOf({ type, default: standard }: Declaration): Type {
  return type ?? typeOfValue(standard) ?? "string";
}

function typeOfValue(value: unknown): Type | undefined {
  if (Array.isArray(value)) return "list";
  if (typeof value === "object" && value !== null) return "map";
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? (typeof value as Type)
    : undefined;
}

/** A text from outside as the declaration wants it, or `undefined`. Lists and maps are YAML, or JSON, on one line or more. */
export function toTyped(text: string, declaration: Declaration): Value | undefined {
  const type = typeOf(declaration);
  if (type === "string") return text;
  if (type === "boolean") return text === "true" || (text === "false" ? false : undefined);
  if (type === "number")
    return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined;
  const { root } = toDocument({ path: "", content: text });
  const value = root && toValue(root);
  return value !== undefined && typeOfValue(value) === type ? (value as Value) : undefined;
}

/** What keeps a value from being one of the declared, or `undefined`. */
export function whatIsWrong(value: Value, declaration: Declaration): string | undefined {
  const { enum: choices, pattern } = declaration;
  const type = typeOf(declaration);
  if (typeOfValue(value) !== type) return `is not a ${type}`;
  // Each item of a list is one of the choices.
  for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (choices && !choices.includes(one as string))
      return `is not one of ${choices.map((word) => `"${word}"`).join(", ")}`;
    const mismatch = pattern === undefined ? undefined : mismatchOf(one, pattern);
    if (mismatch !== undefined) return mismatch;
  }
  return undefined;
}

/** A pattern that is none is told where it stands. */
function mismatchOf(value: unknown, pattern: string): string | undefined {
  if (typeof value === "object") return "has a pattern, which only texts can match";
  try {
    return toPattern(pattern).test(String(value)) ? undefined : `does not match ${pattern}`;
  } catch (error) {
    return `cannot be held against ${pattern}: ${(error as Error).message}`;
  }
}
