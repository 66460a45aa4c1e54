import { toFlow } from "../document/flow.ts";
import type { Explained } from "./explain.ts";
import { keysOf, membersOf, resolve, type Schema } from "./written-schema.ts";

/** What the schema says of a key, for people: lines of at most `columns` characters where words allow it. */
export function toExplainedText(root: Schema, { path, branches }: Explained, columns: number): string {
  const blocks = branches.map(({ method, schema }) => {
    const title = method !== undefined && branches.length > 1 ? [`With method: ${method}`, ""] : [];
    return [...title, ...toLines(root, path, schema, columns)].join("\n");
  });
  return `${[path || "a spec", ...blocks].join("\n\n")}\n`;
}

function toLines(root: Schema, path: string, written: Schema, columns: number): string[] {
  const schema = withoutExpression(written);
  const { description = "", examples = [], "x-examples": shapes = [] } = schema;
  const key = path.split(".").at(-1) ?? "";
  const shown = key === "" || key === "*" ? "" : `${key}: `;
  const facts = [
    ["type", toType(schema)],
    ["values", toValues(schema)],
    ["rule", schema.patternErrorMessage],
    ["default", toDefault(schema)],
  ].flatMap(([name = "", fact]) => (fact ? toHanging(name.padEnd(9), fact, columns) : []));
  const samples = [...examples, ...shapes].map((example, index) => {
    return `${(index === 0 ? "example" : "").padEnd(9)} ${shown}${toFlow(example)}`;
  });
  const keys = toKeys(root, schema, columns);
  return [
    ...wrap(description, columns),
    "",
    ...facts,
    ...samples,
    ...(isAddedTo(schema) ? toHanging(" ".repeat(9), toAdditions(key), columns) : []),
    ...(keys.length > 0 ? ["", "Keys:", ...keys] : []),
    ...toMembers(schema, path),
  ];
}

function toKeys(root: Schema, schema: Schema, columns: number): string[] {
  const keys = [...keysOf(schema)];
  const isAdding = schema.items && !schema.items.properties;
  if (isAdding) return [];
  const required = (schema.items ?? schema).required ?? [];
  const width = Math.max(...keys.map(([key]) => key.length));
  return keys.flatMap(([key, inner]) => {
    const whole = withoutExpression(resolve(root, inner));
    const values = toValues(whole) ?? toType(whole);
    const standard = toDefault(whole);
    const facts = [required.includes(key) ? "required" : "", values, standard ? `default ${standard}` : ""];
    const said = `${whole.description ?? ""} (${facts.filter((fact) => fact !== "").join("; ")})`;
    return toHanging(`  ${key.padEnd(width)} `, said, columns);
  });
}

/** What there is to say of values whose keys are the user's. */
function toMembers(schema: Schema, path: string): string[] {
  const members = membersOf(schema);
  if (!members?.properties || schema.items) return [];
  return ["", `Of each entry: imgspec explain '${path}.*'`];
}

/** The keyword that lets the value of any key be an expression says nothing about the key. */
const wholeExpression = "^\\$\\{\\{[\\s\\S]*\\}\\}$";

/** The schema of the values themselves. */
function withoutExpression(schema: Schema): Schema {
  const { anyOf, ...rest } = schema;
  const [value] = anyOf ?? [];
  if (value && !schema.type) return { ...rest, ...value };
  if (schema.pattern !== wholeExpression) return schema;
  const { pattern: _, patternErrorMessage: __, ...others } = schema;
  return { ...others, type: [schema.type ?? []].flat().filter((type) => type !== "string") };
}

/** A list may be a map that says what is added to it. */
function isAddedTo({ items, properties }: Schema): boolean {
  return items !== undefined && properties?.["append"] !== undefined;
}

function toAdditions(key: string): string {
  return `${key}: { append: […] } or { prepend: […] } adds to the list of the spec, the preset or the file below`;
}

function toType(schema: Schema): string {
  const types = [schema.type ?? []].flat().filter((type) => type !== "null");
  return types
    .filter((type) => !(isAddedTo(schema) && type === "object"))
    .map((type) => (type === "array" && schema.items ? toListType(schema.items) : words[type]))
    .join(" or ");
}

function toListType(items: Schema): string {
  const of = toType(withoutExpression(items));
  return `list of ${of === "text" || of.includes(" or ") ? of : `${of}s`}`;
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "map",
};

function toValues({ enum: choices, const: only, minimum, maximum }: Schema): string | undefined {
  if (choices) return choices.filter((choice) => choice !== null).join(" | ");
  if (only !== undefined) return String(only);
  return minimum === undefined ? undefined : `${minimum} to ${maximum ?? "any"}`;
}

function toDefault({ default: value }: Schema): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "object" && Object.keys(value).length === 0) return undefined;
  return toFlow(value);
}

function toHanging(head: string, text: string, columns: number): string[] {
  const lines = wrap(text, Math.max(30, columns - head.length - 1));
  return lines.map((line, index) => `${index === 0 ? head : " ".repeat(head.length)} ${line}`);
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
