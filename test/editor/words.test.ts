import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);

test("with an address, the words on a key link to where the reference has it", () => {
  const text = run(`
    import { assemble } from "./schemas/assemble.mjs";
    import { withEditorWords } from "./schemas/editor.mjs";
    console.log(JSON.stringify(withEditorWords(assemble().published, "https://docs.example")));`);
  const links = [
    ...text.matchAll(/\[Reference\]\(https:\/\/docs\.example\/(reference\/\w+\.md)#([\w-]+)\)/g),
  ];
  const headings = readFileSync(new URL("docs/reference/spec.md", root), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("#"))
    .map((line) =>
      line
        .replace(/^#+ /, "")
        .toLowerCase()
        .replaceAll(/[^\w\s-]/g, "")
        .replaceAll(" ", "-"),
    );
  expect(links.length).toBeGreaterThan(100);
  expect([...new Set(links.map(([, file]) => file))]).toEqual(["reference/spec.md"]);
  expect(
    [...new Set(links.map(([, , anchor]) => anchor))].filter((anchor) => !headings.includes(anchor ?? "")),
  ).toEqual([]);
});

test("what only editors read stays in the published schema, and out of the validators", () => {
  const schema = {
    type: "object",
    properties: {
      old: {
        type: "string",
        description: "Old.",
        examples: ["a"],
        deprecationMessage: "write new in its stead",
      },
    },
  };
  const [published, lean] = JSON.parse(
    run(`
      import { withEditorWords } from "./schemas/editor.mjs";
      import { toLean } from "./schemas/lean.mjs";
      const schema = ${JSON.stringify(schema)};
      console.log(JSON.stringify([withEditorWords(schema), toLean(schema)]));`),
  ) as [typeof schema, object];
  expect(published.properties.old).toEqual({
    ...schema.properties.old,
    markdownDescription: "Old.\n\n```yaml\nold: a\n```\n\n`imgspec explain old`",
  });
  expect(lean).toEqual({
    type: "object",
    properties: { old: { type: "string", examples: ["a"] } },
    definitions: {},
  });
});

function run(program: string): string {
  return execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
  });
}
