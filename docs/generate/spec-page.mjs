import { code, note, plain, toTable } from "./markdown.mjs";

/**
 * docs/reference/spec.md, from the schemas: `published` is what one may write, `image` what must be there for one
 * region in the end.
 */
export function toSpecPage({ published, image }) {
  const { definitions, properties } = published;
  const own = Object.entries(properties).filter(([, schema]) => !schema.$ref);
  const sections = Object.keys(definitions).map((name) =>
    toSection(name, definitions[name], image.properties[name], image.required.includes(name)),
  );
  return `${note}

# Keys of an image spec

Every key of the language, as the [JSON Schema](../../schemas/imgspec.v1.schema.json) has it (\`imgspec schema\` prints it).
How to use them: [Writing a spec](../spec.md).

- A value may be an [expression](../spec.md#expressions), such as \`\${{ vars.release }}\`, except where it says "literal".
- A required key may stand in the section itself or, for every region, under \`regions\`.
- Durations are a number and \`s\`, \`m\` or \`h\`. Paths of local files are relative to the file that names them.
- A list may be what is added to the list below it: \`{ prepend: […], append: […] }\` ([sharing](../spec.md#share-between-specs-and-regions)).

## Top level

${toTable(
  head,
  own.map(([name, schema]) => toRow(name, schema, schema, isRequired(name, published))),
)}

The sections \`${Object.keys(definitions).join("`, `")}\` follow.

## variables.NAME

${toKeys(properties.variables.additionalProperties, properties.variables.additionalProperties)}

## regions.REGION

${plain(properties.regions.additionalProperties.description)} Beside the sections:

${toOwn(properties.regions.additionalProperties, image)}

## presets.PRESET

${plain(properties.presets.additionalProperties.description)} Beside the sections:

${toOwn(properties.presets.additionalProperties, image)}

${sections.join("\n\n")}
`;
}

/** What is not a section. */
function toOwn({ properties }, image) {
  const own = Object.entries(properties).filter(([, schema]) => !schema.$ref);
  return toTable(
    head,
    own.map(([name, schema]) => toRow(name, schema, image.properties[name] ?? schema, false)),
  );
}

const head = ["key", "type", "default", "what it is", "example"];

/** \`regions\` is not in the list, because a rule tells of it in better words. */
function isRequired(name, { required }) {
  return required.includes(name) || name === "regions";
}

function toSection(name, written, complete, required) {
  const title = `## ${name}\n\n${plain(written.description)}${required ? " Required." : ""}`;
  if (written.if) return `${title}\n\n${toMethods(name, written, complete).join("\n\n")}`;
  if (written.items === undefined) return `${title}\n\n${toKeys(written, complete)}`;
  const isKind = ([, schema]) => schema.properties !== undefined && schema.items === undefined;
  const all = Object.entries(written.items.properties);
  const conditions = all
    .filter((entry) => !isKind(entry))
    .map(([key, schema]) => toRow(key, schema, complete.items.properties[key], false));
  const kinds = all.filter(isKind).map(([kind, schema]) => {
    const whole = complete.items.properties[kind];
    return `### ${name}: ${kind}\n\n${plain(schema.description)} For example ${examplesOf(schema)}\n\n${toKeys(schema, whole)}`;
  });
  return `${title} ${plain(written.items.description)}\n\n${toTable(head, conditions)}\n\n${kinds.join("\n\n")}`;
}

/** The methods of a section stand in the schema one in the else of the other. */
function toMethods(name, written, complete) {
  const { default: standard } = written.properties.method;
  const method = written.if?.properties.method.const ?? standard;
  const [own, whole] = written.if ? [written.then, complete.then] : [written, complete];
  const mine = `### ${name}, method: ${method}\n\n${plain(own.description)}\n\n${toKeys(own, whole)}`;
  return written.if ? [...toMethods(name, written.else, complete.else), mine] : [mine];
}

function toKeys(written, complete) {
  return toTable(head, [...rowsOf(written, complete, "")]);
}

function* rowsOf(written, complete, before) {
  for (const [name, schema] of Object.entries(written.properties)) {
    const whole = complete?.properties?.[name] ?? schema;
    yield toRow(`${before}${name}`, schema, whole, complete?.required?.includes(name) ?? false);
    if (schema.properties && !schema.items) yield* rowsOf(schema, whole, `${before}${name}.`);
    if (schema.items?.properties)
      yield* rowsOf(schema.items, whole.items ?? schema.items, `${before}${name}[].`);
  }
}

function toRow(name, written, complete, required) {
  const must = complete.patternErrorMessage ? ` It ${complete.patternErrorMessage}.` : "";
  return [
    code(name),
    toType(complete),
    required ? "required" : toDefault(written.default),
    `${plain(written.description ?? "")}${plain(must)}`,
    examplesOf(written),
  ];
}

function toType(schema) {
  const choices = schema.enum?.filter((choice) => choice !== null);
  if (choices) return choices.map((choice) => code(String(choice))).join(", ");
  if (schema.const !== undefined) return code(String(schema.const));
  const { minimum, maximum } = schema;
  const range = minimum === undefined ? "" : `, ${minimum} to ${maximum}`;
  const types = [schema.type].flat().filter((type) => type !== "null");
  return `${types.map((type) => words[type]).join(" or ")}${range}`;
}

const words = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  array: "list",
  object: "map",
};

function toDefault(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "object" && Object.keys(value).length === 0) return "";
  return code(toFlow(value));
}

function examplesOf({ examples = [] }) {
  return examples.map((example) => code(toFlow(example))).join(" or ");
}

/** YAML on one line. */
function toFlow(value) {
  if (Array.isArray(value)) return `[${value.map(toFlow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${key}: ${toFlow(inner)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  return /^([A-Za-z/][\w ./*+-]*|[1-9]\d*[A-Za-z]+)$/.test(value) ? value : JSON.stringify(value);
}
