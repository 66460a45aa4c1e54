import { stringify } from "yaml";
import { withInner } from "./schema-walk.mjs";
import { toSnippet } from "./snippet.mjs";

/**
 * A published schema with what only editors read: the words on a key with an example as it is written, and snippets of the
 * sections and steps, both made from what the schema says already. `docs` is the address of the folder of docs/, where it
 * has one: then the words link to the reference.
 */
export function withEditorWords(schema, docs) {
  const toWords = (inner, path) => withWords(inner, path, docs);
  const whole = withInner(schema, (inner, keyword, name) => {
    const isNamed = keyword === "properties" || keyword === "definitions";
    const worded = toWords(inner, isNamed ? [name] : []);
    return isNamed ? withSnippets(worded) : worded;
  });
  // A key is completed to its example only by a snippet of what it stands in.
  const parts = Object.entries({ ...schema.properties, ...schema.definitions });
  const defaultSnippets = parts
    .filter(([, { examples }]) => typeof examples?.[0] === "object")
    .map(
      ([
        label,
        {
          description,
          examples: [example],
        },
      ]) => ({
        label,
        description,
        ...toSnippet({ [label]: example }),
      }),
    );
  return withNamedShapes({ ...whole, defaultSnippets });
}

/**
 * Examples with maps in them under a keyword of our own: yaml-language-server offers what is under `examples` as a value, and
 * names a map `[object Object]`. They are offered as snippets instead.
 */
function withNamedShapes(schema) {
  const { examples = [], ...whole } = withInner(schema, withNamedShapes);
  const [shapes, plain] = [examples.filter(hasMap), examples.filter((example) => !hasMap(example))];
  const known = whole.defaultSnippets?.length ?? 0;
  const snippets = shapes
    .map((shape, index) => ({ label: index === 0 ? "example" : `example ${index + 1}`, ...toSnippet(shape) }))
    .filter(({ body }, index) => index >= known && !Array.isArray(body));
  return {
    ...whole,
    ...(plain.length > 0 ? { examples: plain } : {}),
    ...(shapes.length > 0 ? { "x-examples": shapes } : {}),
    ...(snippets.length > 0 ? { defaultSnippets: [...(whole.defaultSnippets ?? []), ...snippets] } : {}),
  };
}

function hasMap(value) {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) || value.some(hasMap);
}

function withWords(schema, path, docs) {
  const whole = withInner(schema, (inner, keyword, name) =>
    withWords(inner, keyword === "properties" ? [...path, name] : path, docs),
  );
  if (schema.description === undefined || schema.$ref) return whole;
  return { ...whole, markdownDescription: toMarkdown(schema, path, docs) };
}

function toMarkdown({ description, examples = [] }, path, docs) {
  const key = path.at(-1);
  const [example] = examples;
  const shown = example === undefined || key === undefined ? [] : [toBlock({ [key]: example })];
  const more = path.length === 0 ? [] : [`\`imgspec explain ${path.join(".")}\``];
  const link = docs && path.length > 0 ? [`[Reference](${docs}/reference/spec.md#${anchorOf(path)})`] : [];
  return [description, ...shown, [...link, ...more].join(" · ")].filter(Boolean).join("\n\n");
}

function toBlock(value) {
  return `\`\`\`yaml\n${stringify(value, { lineWidth: 0 })}\`\`\``;
}

/** The heading of docs/reference/spec.md below which a key is. */
function anchorOf([section, inner]) {
  if (inner === undefined && (section === "regions" || section === "presets")) return "top-level";
  if (section === "regions") return "regionsregion";
  if (section === "presets") return "presetspreset";
  if (section === "variables") return "variablesname";
  return own.includes(section) ? "top-level" : section;
}

const own = ["imgspec", "extends", "name", "env", "plugins", "matrix"];

function withSnippets(schema) {
  const [example] = schema.examples ?? [];
  if (typeof example !== "object") return schema;
  const whole = { ...schema, defaultSnippets: [{ label: "example", ...toSnippet(example) }] };
  return schema.items?.oneOf ? { ...whole, items: withSteps(schema.items) } : whole;
}

/** A step of each kind. */
function withSteps(items) {
  const kinds = items.oneOf.flatMap(({ required }) => required);
  const defaultSnippets = kinds.map((kind) => {
    const { description, examples } = items.properties[kind];
    // The short form says less of what one can write.
    const example = examples.find((one) => typeof one === "object") ?? examples[0];
    return { label: kind, description, ...toSnippet({ [kind]: example }) };
  });
  return { ...items, defaultSnippets };
}
