// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";

test("a matrix builds several images in one region, each with its own values", async () => {
  await using cli = await newCli("quickstart");
  const path = join(cli.folder, "image.yaml");
  const text = await readFile(path, "utf8");
  const changed = text
    .replace(
      "variables:",
      "matrix: { tongue: [en, de], exclude: [{ tongue: de, region: eu-west-1 }] }\nvariables:",
    )
    .replace('"${{ vars.greeting }}" }', "\"${{ matrix.tongue == 'de' ? 'Hallo' : 'Hello' }}\" }")
    .replace("${{ build.id }}\n\nregister", "${{ build.id }}/${{ matrix.tongue }}\n\nregister")
    .replace("name: quickstart $", "name: ${{ matrix.tongue }} $");
  await writeFile(path, `${changed}  eu-west-1: {}\n`);
  const { code, stdout } = await cli.run("build", "image.yaml", "--emulate", "--try", "greet");
  expect(stdout).toContain("us-east-1.de/try  | Hallo");
  expect(stdout).toContain("us-east-1.en/try  | Hello");
  expect(code).toBe(0);
  const { images } = await cli.result();
  expect(images.map(({ region, variant, name }) => [region, variant, name?.slice(0, 2)])).toEqual([
    ["us-east-1", "en", "en"],
    ["us-east-1", "de", "de"],
    ["eu-west-1", "en", "en"],
  ]);
  expect(new Set(images.map(({ imageId }) => imageId)).size).toBe(3);
});
