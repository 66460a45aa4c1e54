import type { Schema } from "../written-schema.ts";

/** What a value that holds an expression looks like before it is evaluated. */
const expression = "\\$\\{\\{[\\s\\S]*\\}\\}";
const whole = `^${expression}$`;

/** The schema of options as they are written: wherever a value may stand, an expression may stand for it. */
export function toWrittenForm(schema: Schema): Schema {
  const { properties, items, additionalProperties, definitions, ...rest } = schema;
  return {
    ...rest,
    ...(properties && { properties: toEach(properties) }),
    ...(definitions && { definitions: toEach(definitions) }),
    ...(items && { items: orExpression(items) }),
    ...(additionalProperties !== undefined && {
      additionalProperties:
        typeof additionalProperties === "object" ? orExpression(additionalProperties) : additionalProperties,
    }),
  };
}

function toEach(map: { readonly [key: string]: Schema }): { readonly [key: string]: Schema } {
  return Object.fromEntries(Object.entries(map).map(([key, inner]) => [key, orExpression(inner)]));
}

type Choice = Pick<Schema, "type" | "enum" | "const">;

/** The same of a value that may be an expression as a whole. */
export function orExpression(schema: Schema): Schema {
  const types = [schema.type ?? []].flat();
  const { enum: choices, const: only, type, ...annotations } = schema;
  if (choices !== undefined || only !== undefined) {
    const choice: Choice = {
      ...(type !== undefined && { type }),
      ...(choices !== undefined && { enum: choices }),
      ...(only !== undefined && { const: only }),
    };
    return { ...annotations, anyOf: [choice, { type: "string", pattern: whole }] };
  }
  const inner = toWrittenForm(schema);
  if (types.length === 0) return inner;
  if (!types.includes("string")) {
    const message = types.length === 1 ? mustBe[types[0] ?? ""] : undefined;
    return {
      ...inner,
      type: [...types, "string"],
      pattern: whole,
      ...(message && { patternErrorMessage: message }),
    };
  }
  const { maxLength: _, ...free } = inner as Schema & { readonly maxLength?: number };
  return schema.pattern === undefined ? free : { ...free, pattern: `(${schema.pattern})|${expression}` };
}

const mustBe: Readonly<Record<string, string>> = {
  integer: "must be a whole number",
  number: "must be a number",
  boolean: "must be true or false",
  array: "must be a list",
  object: "must be a map",
};
