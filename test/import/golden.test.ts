import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { imported, mistakesIn, toldOf } from "./reading.ts";

const directory = fileURLToPath(new URL("golden/", import.meta.url));
const names = readdirSync(directory).filter((name) => /\.(json|pkr\.hcl|yml)$/.test(name));

test("there are templates", () => {
  expect(names.length).toBeGreaterThan(0);
});

test.each(names)("%s becomes the spec beside it, and the rest is told", async (name) => {
  const { text, leftovers } = importedFrom(name);
  await expect(text).toMatchFileSnapshot(`${directory}${name}.yaml`);
  await expect(toldOf(leftovers)).toMatchFileSnapshot(`${directory}${name}.txt`);
});

test.each(names)("no secret of %s is in the spec or in what is told", (name) => {
  const { text, leftovers } = importedFrom(name);
  expect(`${text}${toldOf(leftovers)}`).not.toContain("CANARY");
});

test.each(names)("what the spec of %s lacks are files, variables and host keys only", async (name) => {
  const mistakes = await mistakesIn(importedFrom(name).text);
  const expected = ["file-missing", "variable-missing"];
  const others = mistakes.filter(
    ({ code, message, severity }) =>
      severity === "error" && !expected.includes(code) && !/hostKey|does not exist/.test(message),
  );
  expect(others.map(({ message }) => message)).toEqual([]);
});

function importedFrom(name: string): ReturnType<typeof imported> {
  return imported({ path: name, content: readFileSync(`${directory}${name}`, "utf8") });
}
