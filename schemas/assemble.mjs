// Puts the fragments together: the published schema (what one may write) and the image schema (what must be there
// for one region once overrides are merged and expressions evaluated).
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(`${here}${path}`, "utf8"));

/** What a scalar that holds an expression looks like before it is evaluated. */
const expression = "\\$\\{\\{[\\s\\S]*\\}\\}";

const schemaId = "urn:imgspec:schema:v1";

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

/** A list of maps with one key each, which says what kind of step it is. */
function toSteps(kinds) {
  return {
    type: "array",
    description: "What is done to the instance before it is bundled, in this order.",
    examples: [[{ shell: "scripts/install.sh" }, { upload: { from: "files/", to: "/srv/app" } }]],
    default: [],
    items: {
      type: "object",
      description: "One step: a map with one key, which says what kind of step it is.",
      examples: [{ shell: "scripts/install.sh" }],
      additionalProperties: false,
      minProperties: 1,
      maxProperties: 1,
      properties: Object.fromEntries(
        ["shell", "upload", "download", "local"].map((kind) => [kind, kinds[kind]]),
      ),
    },
  };
}

/** A test is a shell step, word for word. */
function withTests(section, shell) {
  const { tests } = section.properties;
  const items = { ...tests.items, properties: { shell } };
  return { ...section, properties: { ...section.properties, tests: { ...tests, items } } };
}

function toImage(sections) {
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Written image",
    type: "object",
    additionalProperties: false,
    required: ["source", "launch", "connect", "upload"],
    properties: withoutShorthand({ profile: readJson("sections/profile.json"), ...sections }),
  };
}

/** Short forms are written out before an image is checked, and defaults that are expressions are filled in after. */
function withoutShorthand(schema) {
  if (Array.isArray(schema)) return schema.map(withoutShorthand);
  if (typeof schema !== "object" || schema === null) return schema;
  const { $shorthand: _, ...rest } = schema;
  if (String(rest.default).includes("${{")) delete rest.default;
  return Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, withoutShorthand(value)]));
}

function toPublished(sections) {
  const names = Object.keys(sections);
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
      name: {
        type: "string",
        description: "Name of what is built. Literal: no expressions.",
        pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        patternErrorMessage: 'must be at most 63 letters, digits, ".", "_" and "-"',
        examples: ["web-base"],
      },
      variables: readJson("sections/variables.json"),
      env: readJson("sections/env.json"),
      ...refs,
      regions: {
        type: "object",
        description:
          "The regions to build in, one image each. What stands under a region is laid over the sections above.",
        minProperties: 1,
        examples: [
          { "us-east-1": {}, "us-gov-west-1": { profile: "gov", upload: { bucket: "acme-gov-images" } } },
        ],
        additionalProperties: {
          type: ["object", "null"],
          description: "What is different in this region: any of the sections, and the profile.",
          examples: [{ profile: "gov" }],
          additionalProperties: false,
          properties: { profile: relax(readJson("sections/profile.json")), ...refs },
        },
      },
    },
    definitions: Object.fromEntries(names.map((name) => [name, toOptional(relax(sections[name]))])),
  };
}

/** A section may be there with nothing in it. */
function toOptional(section) {
  return { ...section, type: [section.type, "null"] };
}

/** Lets a fragment be a part of the whole (the rest may come from elsewhere) and its scalars be expressions. */
function relax(schema, isItem = false) {
  const { $shorthand, required, pattern, enum: choices, minLength: _, maxLength: __, ...rest } = schema;
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
        { type, enum: choices },
        { type: "string", pattern: expression },
      ],
    };
  }
  if (pattern) return { ...relaxed, pattern: `(${pattern})|${expression}` };
  if (types.includes("string") || types.includes("object") || types.includes("array")) return relaxed;
  const message = `must be ${types.includes("boolean") ? "true or false" : "a whole number"}`;
  return { ...relaxed, type: [...types, "string"], pattern: `^${expression}$`, patternErrorMessage: message };
}

/** A list may be what one expression gives. */
function orExpression(schema) {
  if (schema.type !== "array") return schema;
  const patternErrorMessage = "must be a list";
  return { ...schema, type: ["array", "string"], pattern: `^${expression}$`, patternErrorMessage };
}

function relaxKeyword(key, value) {
  if (key === "properties") {
    // The steps of a provision list are whole, each of them; everything else may be in parts.
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [
        name,
        orExpression(relax(inner, ["shell", "upload", "download", "local"].includes(name))),
      ]),
    );
  }
  if (key === "items") return relax(value, true);
  if (key === "additionalProperties" && typeof value === "object") return relax(value);
  if (key === "then" || key === "else") return relax(value);
  return value;
}
