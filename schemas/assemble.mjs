// Puts the fragments together: the published schema (what one may write) and the image schema (what must be there
// for one region once overrides are merged and expressions evaluated).
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(`${here}${path}`, "utf8"));

/** What a scalar that holds an expression looks like before it is evaluated. */
const expression = "\\$\\{\\{[\\s\\S]*\\}\\}";

/** Where SchemaStore keeps it (schemas/schemastore). */
const schemaId = "https://www.schemastore.org/imgspec.json";

/** @returns {{ published: object, image: object }} */
export function assemble() {
  const sections = readSections();
  return { published: toPublished(sections), image: toImage(sections) };
}

/** Every section in the order of the way of an image. */
function readSections() {
  const stages = {};
  for (const file of readdirSync(`${here}stages`).sort()) {
    const [section, method] = file.replace(/\.json$/, "").split(/\.(.*)/s);
    stages[section] = { ...stages[section], [method]: expand(readJson(`stages/${file}`)) };
  }
  const section = (name) => expand(readJson(`sections/${name}.json`));
  return {
    source: section("source"),
    launch: toStage("launch", stages.launch),
    connect: section("connect"),
    provision: toSteps(stages.provision),
    bundle: toStage("bundle", stages.bundle),
    certificate: section("certificate"),
    upload: toStage("upload", stages.upload),
    register: toStage("register", stages.register),
    verify: withTests(section("verify"), stages.provision.shell),
    publish: section("publish"),
  };
}

const shared = readJson("fragments.json");

/** Replaces `{ "$use": name, … }` by the shared fragment of that name and what stands beside it. */
function expand(schema) {
  if (Array.isArray(schema)) return schema.map(expand);
  if (typeof schema !== "object" || schema === null) return schema;
  const { $use, ...rest } = schema;
  const merged = $use === undefined ? rest : { ...shared[$use], ...rest };
  return Object.fromEntries(Object.entries(merged).map(([key, value]) => [key, expand(value)]));
}

/** The methods that are meant where a spec names none. */
const standardMethods = { launch: "ec2", bundle: "native", upload: "s3", register: "instance-store" };

/** A section whose key `method` chooses the fragment. */
function toStage(section, methods) {
  const standard = standardMethods[section];
  const others = Object.keys(methods).filter((method) => method !== standard);
  const methodKey = (allowed, chosen = standard) => ({
    type: "string",
    description: "How it is done.",
    enum: allowed,
    default: chosen,
    examples: [allowed[0]],
  });
  const toFragment = (method) => {
    const { default: _, ...fragment } = methods[method];
    return { ...fragment, properties: { method: methodKey([method], method), ...fragment.properties } };
  };
  const { description, examples, default: empty } = methods[standard];
  const whole = others.reduceRight(
    (otherwise, method) => ({
      type: "object",
      description,
      examples,
      properties: { method: methodKey([standard, ...others]) },
      if: { type: "object", properties: { method: { const: method } }, required: ["method"] },
      // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
      then: toFragment(method),
      else: otherwise,
    }),
    toFragment(standard),
  );
  return empty === undefined ? whole : { ...whole, default: empty };
}

const stepKinds = [
  "shell",
  "upload",
  "download",
  "local",
  "program",
  "packages",
  "check",
  "reboot",
  "ansible",
  "breakpoint",
];

/** A list of maps with one key each that says what kind of step it is, and others that say when it is there. */
function toSteps(kinds) {
  return {
    type: "array",
    description: "What is done to the instance before it is bundled, in this order.",
    examples: [[{ shell: "scripts/install.sh" }, { upload: { from: "files/", to: "/srv/app" } }]],
    default: [],
    items: {
      type: "object",
      description: "One step: a map with one key that says what kind of step it is, and conditions.",
      examples: [{ shell: "scripts/install.sh" }],
      additionalProperties: false,
      oneOf: stepKinds.map((kind) => ({ required: [kind] })),
      properties: { ...Object.fromEntries(stepKinds.map((kind) => [kind, kinds[kind]])), ...conditions },
    },
  };
}

/** A test is a shell step, word for word, and its conditions. */
function withTests(section, shell) {
  const { tests } = section.properties;
  const items = { ...tests.items, oneOf: [{ required: ["shell"] }], properties: { shell, ...conditions } };
  return { ...section, properties: { ...section.properties, tests: { ...tests, items } } };
}

const conditions = readJson("conditions.json");

function toImage(sections) {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Written image",
    type: "object",
    additionalProperties: false,
    required: ["source", "launch", "connect", "upload"],
    properties: toWhole({ profile: readJson("sections/profile.json"), ...sections }),
  };
}

/**
 * Before an image is checked, short forms are written out, and only `if: false` is left of a step that is not there; defaults that are
 * expressions are filled in after.
 */
function toWhole(schema) {
  if (Array.isArray(schema)) return schema.map(toWhole);
  if (typeof schema !== "object" || schema === null) return schema;
  const { $shorthand: _, ...rest } = schema;
  if (String(rest.default).includes("${{")) delete rest.default;
  if (rest.oneOf) rest.oneOf = [...rest.oneOf, { required: ["if"], properties: { if: { const: false } } }];
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, toWhole(value)]));
}

function toPublished(sections) {
  const names = Object.keys(sections);
  const profile = relax(readJson("sections/profile.json"));
  const refs = Object.fromEntries(names.map((name) => [name, { $ref: `#/definitions/${name}` }]));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $id: schemaId,
    title: "imgspec",
    description: "An image spec: one YAML file from which imgspec builds instance store-backed EC2 AMIs.",
    type: "object",
    additionalProperties: false,
    required: ["imgspec", "name"],
    properties: {
      imgspec: { type: "integer", description: "Version of the language.", const: 1, examples: [1] },
      extends: readJson("sections/extends.json"),
      name: {
        type: "string",
        description: "Name of what is built. Literal: no expressions.",
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        patternErrorMessage: 'must be at most 63 letters, digits, ".", "_" and "-"',
        examples: ["web-base"],
      },
      plugins: readJson("sections/plugins.json"),
      variables: readJson("sections/variables.json"),
      env: readJson("sections/env.json"),
      matrix: readJson("sections/matrix.json"),
      ...refs,
      presets: {
        type: ["object", "null"],
        description: "Named sets of sections that regions can build on.",
        examples: [{ china: { profile: "china", certificate: { ec2: "cn-north-1" } } }],
        propertyNames: {
          pattern: "^[A-Za-z][A-Za-z0-9_-]{0,62}$",
          patternErrorMessage: 'must be at most 63 letters, digits, "_" and "-", and begin with a letter',
        },
        additionalProperties: {
          type: "object",
          description: "What the regions that build on this preset have in common.",
          examples: [{ profile: "china" }],
          additionalProperties: false,
          properties: { extends: readJson("sections/extends.json"), profile, ...refs },
        },
      },
      regions: {
        type: "object",
        description:
          "The regions to build in, one image each. What stands under a region is laid over its presets, and these over the sections above.",
        minProperties: 1,
        examples: [
          { "us-east-1": {}, "us-gov-west-1": { profile: "gov", upload: { bucket: "acme-gov-images" } } },
        ],
        additionalProperties: {
          type: ["object", "null"],
          description:
            "What is different in this region: any of the sections, the profile, and what it builds on.",
          examples: [{ profile: "gov" }],
          additionalProperties: false,
          properties: {
            extends: readJson("sections/extends.json"),
            preset: readJson("sections/preset.json"),
            profile,
            ...refs,
          },
        },
      },
    },
    definitions: Object.fromEntries(
      names.map((name) => [name, toOptional(orAdditions(relax(sections[name])))]),
    ),
  };
}

/** A section may be there with nothing in it. */
function toOptional(section) {
  return { ...section, type: [section.type, "null"].flat() };
}

/** Lets a fragment be a part of the whole (the rest may come from elsewhere) and its scalars be expressions. */
function relax(schema, isItem = false) {
  const { $shorthand, required, pattern, enum: choices, enumDescriptions, ...rest } = schema;
  for (const keyword of ["minLength", "maxLength"]) delete rest[keyword];
  const relaxed = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, relaxKeyword(key, value)]),
  );
  if (required && isItem) relaxed.required = required;
  const types = [schema.type ?? []].flat();
  if ($shorthand) return { ...relaxed, type: ["string", "object"] };
  if (choices) {
    const { type, ...annotations } = relaxed;
    return {
      ...annotations,
      anyOf: [
        { type, enum: choices, ...(enumDescriptions === undefined ? {} : { enumDescriptions }) },
        { type: "string", pattern: expression },
      ],
    };
  }
  if (pattern) return { ...relaxed, pattern: `(${pattern})|${expression}` };
  if (types.includes("string") || types.includes("object") || types.includes("array")) return relaxed;
  const message = `must be ${types.includes("boolean") ? "true or false" : "a whole number"}`;
  return { ...relaxed, type: [...types, "string"], pattern: `^${expression}$`, patternErrorMessage: message };
}

/** A list, or a map with keys of the user's, may be what one expression gives. */
function orExpression(schema) {
  const isFree = schema.type === "object" && typeof schema.additionalProperties === "object";
  if (isFree) {
    const patternErrorMessage = "must be a map";
    return { ...schema, type: ["object", "string"], pattern: `^${expression}$`, patternErrorMessage };
  }
  if (schema.type !== "array") return schema;
  const patternErrorMessage = "must be a list";
  const whole = orAdditions(schema);
  return { ...whole, type: [...whole.type, "string"], pattern: `^${expression}$`, patternErrorMessage };
}

/** A list may be what is added to the list below it: in a region, a preset, or a file that extends another. */
function orAdditions(schema) {
  if (schema.type !== "array") return schema;
  const { items, examples, uniqueItems } = schema;
  const list = (description) => ({
    type: "array",
    description,
    items,
    ...(uniqueItems === undefined ? {} : { uniqueItems }),
    examples,
  });
  return {
    ...schema,
    type: ["array", "object"],
    minProperties: 1,
    additionalProperties: false,
    properties: {
      prepend: list("Put before the list below: that of the spec, the preset or the file that is extended."),
      append: list("Put behind the list below: that of the spec, the preset or the file that is extended."),
    },
  };
}

function relaxKeyword(key, value) {
  if (key === "properties") {
    // The steps of a provision list are whole, each of them; everything else may be in parts.
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        orExpression(relax(inner, stepKinds.includes(name))),
      ]),
    );
  }
  if (key === "items") return relax(value, true);
  if (key === "additionalProperties" && typeof value === "object") return relax(value);
  if (key === "then" || key === "else") return relax(value);
  return value;
}
