import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readSpec } from "../../src/spec/read-spec.ts";
import { build } from "./reading.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const templates = readdirSync(`${root}templates`).filter((name) => name.endsWith(".yaml"));
const examples = readdirSync(`${root}examples`, { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".yaml"),
);
const paths = [
  ...templates.map((name) => `templates/${name}`),
  ...examples.map((name) => `examples/${name}`),
];

for (const path of paths) {
  test(`${path} is a spec without a warning, and names its schema for editors`, async () => {
    expect(readFileSync(`${root}${path}`, "utf8")).toMatch(
      /^# yaml-language-server: \$schema=\S+imgspec\.v1\.schema\.json\n/,
    );
    const { spec, warnings } = await readSpec(`${root}${path}`, {
      variables: {},
      environment: { PATH: "/bin" },
      build,
    });
    expect(warnings).toEqual([]);
    expect(spec.images.length).toBeGreaterThan(0);
  });
}

test("the full template shows every key of the language", () => {
  const text = readFileSync(`${root}templates/full.yaml`, "utf8");
  const missing = [
    ...keysOf(JSON.parse(readFileSync(`${root}schemas/imgspec.v1.schema.json`, "utf8"))),
  ].filter((key) => !new RegExp(`\\b${key}:`).test(text));
  // The list form of block device mappings is another way to write the same.
  expect(missing.filter((key) => key !== "device" && key !== "virtual")).toEqual([]);
});

function* keysOf(schema: unknown): Generator<string, void> {
  if (typeof schema !== "object" || schema === null) return;
  for (const [keyword, inner] of Object.entries(schema)) {
    if (keyword === "properties") yield* Object.keys(inner as object);
    if (keyword !== "examples") yield* keysOf(inner);
  }
}
