import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { imageOf } from "./reading.ts";

type Schema = { readonly [keyword: string]: unknown };

const read = (path: string): Schema =>
  JSON.parse(readFileSync(new URL(`../../schemas/${path}`, import.meta.url), "utf8")) as Schema;
const published = read("imgspec.v1.schema.json");
const ajv = new Ajv({ strict: false, allErrors: true });

test("it is a schema of draft-07", () => {
  expect(published["$schema"]).toBe("http://json-schema.org/draft-07/schema#");
  expect(ajv.validateSchema(published)).toBe(true);
});

describe("every key", () => {
  for (const [path, schema] of keysOf(published)) {
    test(`${path} says what it is for and shows an example that is right`, () => {
      const target = resolve(schema);
      expect(target["description"]).toMatch(/^[A-Z].*\.$/);
      const examples = [target["examples"], target["x-examples"]].flatMap(
        (some) => (some ?? []) as unknown[],
      );
      expect(examples.length).toBeGreaterThan(0);
      const validate = ajv.compile({ ...target, definitions: published["definitions"] });
      expect(examples.filter((example) => !validate(example))).toEqual([]);
      if ("default" in target) expect(validate(target["default"])).toBe(true);
    });
  }
});

test("each stage has a fragment of its own for each of its methods", () => {
  expect(readdirSync(new URL("../../schemas/stages/", import.meta.url)).sort()).toEqual([
    "bundle.ami-tools.json",
    "bundle.native.json",
    "launch.ec2.json",
    "provision.ansible.json",
    "provision.breakpoint.json",
    "provision.check.json",
    "provision.download.json",
    "provision.local.json",
    "provision.packages.json",
    "provision.program.json",
    "provision.reboot.json",
    "provision.shell.json",
    "provision.upload.json",
    "register.instance-store.json",
    "upload.s3.json",
  ]);
});

test("the defaults that are expressions are those that are filled in", async () => {
  const stated = ["upload/prefix", "register/name"].map((path) => {
    const [section = "", key = ""] = path.split("/");
    return propertiesOf(resolve({ $ref: `#/definitions/${section}` }))[key]?.["default"];
  });
  const filled = await imageOf("");
  const written = await imageOf(`register: { name: "${stated[1]}" }`);
  expect(stated[0]).toBe("$" + "{{ name }}/$" + "{{ build.id }}");
  expect(filled.upload.prefix).toBe("web/20261122-213330-k3v9");
  expect(written.register.name).toBe(filled.register.name);
});

function propertiesOf(schema: Schema): { readonly [key: string]: Schema } {
  return (schema["properties"] ?? {}) as { readonly [key: string]: Schema };
}

function resolve(schema: Schema): Schema {
  const name =
    String(schema["$ref"] ?? "")
      .split("/")
      .at(-1) ?? "";
  return name === "" ? schema : ((published["definitions"] as { [name: string]: Schema })[name] ?? schema);
}

/** Every key in the schema with its path; definitions once. */
function* keysOf(schema: Schema, path = ""): Generator<[string, Schema], void> {
  for (const branch of ["then", "else"]) {
    const inner = schema[branch];
    if (typeof inner === "object" && inner !== null) yield* keysOf(inner as Schema, `${path} (${branch})`);
  }
  for (const [key, inner] of Object.entries(propertiesOf(schema))) {
    yield [`${path}/${key}`, inner];
    yield* keysOf(inner, `${path}/${key}`);
  }
  for (const keyword of ["items", "additionalProperties"]) {
    const inner = schema[keyword];
    if (typeof inner === "object" && inner !== null) yield* keysOf(inner as Schema, `${path}/*`);
  }
  for (const [name, inner] of Object.entries((schema["definitions"] ?? {}) as object))
    yield* keysOf(inner, name);
}
