import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { validateSpec } from "../../src/spec/validate-spec.gen.ts";

const folder = new URL("../../schemas/schemastore/", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), "utf8"));
const schema = read("../imgspec.v1.schema.json") as { readonly $schema: string; readonly $id: string };
const entry = read("catalog.json") as { readonly [key: string]: string | readonly string[] };
const { options } = read("schema-validation.json") as {
  readonly options: { readonly [file: string]: { readonly unknownKeywords: readonly string[] } };
};

test("the entry has what SchemaStore asks for, and leads to the schema", () => {
  expect(Object.keys(entry)).toEqual(["name", "description", "fileMatch", "url"]);
  expect(entry["url"]).toBe(schema.$id);
  expect(schema.$schema).toBe("http://json-schema.org/draft-07/schema#");
  expect(Object.keys(options)).toEqual([schema.$id.split("/").at(-1)]);
});

test("it claims files by names of ours only", () => {
  const patterns = entry["fileMatch"] as readonly string[];
  expect(patterns.every((pattern) => /^(\*\.)?imgspec\.ya?ml$/.test(pattern))).toBe(true);
  const page = readFileSync(new URL("../../docs/editor.md", folder), "utf8");
  expect(patterns.filter((pattern) => !page.includes(`\`${pattern}\``))).toEqual([]);
});

describe("the schema, read as strictly as SchemaStore does,", () => {
  // Their own settings: strict, but for unions of types and for keys that are required and described elsewhere.
  const ajv = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
  ajv.addVocabulary([...(options["imgspec.json"]?.unknownKeywords ?? [])]);
  const validate = ajv.compile(schema);

  test.each(filesIn("src/test/imgspec/"))("takes %s, as imgspec does", (file) => {
    const value = valueIn(`src/test/imgspec/${file}`);
    expect([validate(value), validateSpec(value)]).toEqual([true, true]);
  });

  test.each(filesIn("src/negative_test/imgspec/"))("refuses %s, as imgspec does", (file) => {
    const value = valueIn(`src/negative_test/imgspec/${file}`);
    expect([validate(value), validateSpec(value)]).toEqual([false, false]);
  });
});

function filesIn(path: string): readonly string[] {
  return readdirSync(new URL(path, folder));
}

function valueIn(path: string): unknown {
  return parse(readFileSync(new URL(path, folder), "utf8"));
}
