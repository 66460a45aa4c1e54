import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const source = resolve(import.meta.dirname, "../src");
const layers =
  "util < document < spec < import < bundle < machine < aws < store < image < journal < stage < plan < run < report < emulator < command".split(
    " < ",
  );
const vocabularies = ["problem.ts", "diagnostic.ts"];

test("a folder imports only from folders to its left", () => {
  const wrong = imports().filter(({ from, to }) => {
    const [a, b] = [folderOf(from), folderOf(to)];
    if (a === null || vocabularies.includes(to)) return false;
    return b === null || layers.indexOf(b) > layers.indexOf(a);
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test("every folder of src stands in the line, and the line stands in ARCHITECTURE.md", () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).sort()).toEqual([...layers].sort());
  expect(readFileSync(resolve(source, "../ARCHITECTURE.md"), "utf8")).toContain(layers.join(" < "));
});

test("the vocabularies import nothing but each other and types", () => {
  const wrong = imports().filter(({ from, to }) => vocabularies.includes(from) && !vocabularies.includes(to));
  expect(wrong).toEqual([]);
});

test("only src/aws knows the AWS SDK, and only one file of it sends", () => {
  const files = sources();
  const knowing = files.filter((file) => textOf(file).includes('"@aws-sdk/') && folderOf(file) !== "aws");
  const sending = files.filter((file) => textOf(file).includes(".send(") && folderOf(file) === "aws");
  expect(knowing).toEqual([]);
  expect(sending).toEqual(["aws/client.ts"]);
});

test("no source file is longer than 250 lines", () => {
  const long = sources().filter((file) => !file.endsWith(".gen.ts") && textOf(file).split("\n").length > 251);
  expect(long).toEqual([]);
});

function imports(): { from: string; to: string }[] {
  return sources().flatMap((from) =>
    [...textOf(from).matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g)].map(([, path = ""]) => ({
      from,
      to: relative(source, resolve(source, dirname(from), path)),
    })),
  );
}

function sources(): string[] {
  return readdirSync(source, { recursive: true, encoding: "utf8" }).filter((file) => /\.c?ts$/.test(file));
}

function folderOf(file: string): string | null {
  return file.includes("/") ? (file.split("/")[0] ?? null) : null;
}

function textOf(file: string): string {
  return readFileSync(join(source, file), "utf8");
}
