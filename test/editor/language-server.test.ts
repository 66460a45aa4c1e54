import { readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { validateSpec } from "../../src/spec/validate-spec.gen.ts";
import { type Completion, LanguageServer } from "../help/language-server.ts";
import { applied, filled, published } from "./snippets.ts";

const modeline = "# yaml-language-server: $schema=./imgspec.v1.schema.json\n";
const head = `${modeline}imgspec: 1\nname: web\n`;
let folder = "";
let server: LanguageServer;
let count = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgspec-editor-"));
  const schema = join(folder, "imgspec.v1.schema.json");
  await copyFile(new URL("../../schemas/imgspec.v1.schema.json", import.meta.url), schema);
  server = await LanguageServer.start(folder, settingsOfPage());
});

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe("what is wrong is marked at its place", () => {
  test.each([
    ["an unknown key", "launh: {}", "3:0 Property launh is not allowed."],
    ["an unknown key of a section", "connect: { usr: a }", "3:11 Property usr is not allowed."],
    ["a wrong type", "connect: { port: ssh }", "3:17 must be a whole number"],
    [
      "a wrong value",
      "connect: { address: pubic }",
      '3:20 Value is not accepted. Valid values: "public", "private".',
    ],
    ["a number that is too large", "upload: { concurrency: 99 }", "3:23 Value is above the maximum of 32."],
    ["a step without a kind", "provision:\n  - { retries: 2 }", "4:6 Property retries is not allowed."],
  ])("%s", async (_, text, complaint) => {
    expect(await complaintsOf(`${head}${text}\n`)).toContain(complaint);
  });

  test("a key that is missing", async () => {
    expect(await complaintsOf(`${modeline}imgspec: 1\n`)).toEqual(['1:0 Missing property "name".']);
    expect(await complaintsOf(`${head}provision:\n  - if: true\n`)).toContain(
      '4:4 Missing property "shell".',
    );
  });
});

test("an expression may stand for a number, a choice, true or false, a list and a map, and only there", async () => {
  const sound = `connect: { port: "\${{ vars.port }}", agent: "\${{ vars.agent }}", address: "\${{ vars.address }}" }
launch: { instanceTypes: "\${{ vars.types }}", tags: "\${{ vars.tags }}" }
bundle: { hygiene: { logs: "\${{ vars.logs }}" } }
`;
  expect(await complaintsOf(head + sound)).toEqual([]);
  expect(await complaintsOf(`${head}connect: { port: "x\${{ vars.port }}" }\n`)).toEqual([
    "3:17 must be a whole number",
  ]);
});

test("a file is found by its name as well, from the editor's settings", async () => {
  const path = join(folder, "web.imgspec.yaml");
  const complaints = await server.open(path, "imgspec: 1\nname: web\nlaunh: {}\n");
  expect(complaints.map(({ message }) => message)).toEqual(["Property launh is not allowed."]);
});

test("keys are completed, with the words on them", async () => {
  const items = await completionsAt(`${head}connect:\n  ‸\n`);
  const port = items.find(({ label }) => label === "port");
  expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(["user", "port", "hostKey"]));
  expect(port?.documentation).toMatchObject({ value: expect.stringContaining("Port of the SSH server.\n") });
});

test("values are completed, each with what it means", async () => {
  const items = await completionsAt(`${head}connect:\n  address: ‸\n`);
  expect(items.map(({ label, documentation }) => `${label}: ${String(documentation)}`)).toEqual([
    "public: The address that the internet knows it by.",
    "private: The address inside of its network, for a builder that is there as well or has a way in.",
  ]);
  const methods = await completionsAt(`${head}bundle:\n  method: ‸\n`);
  expect(methods.map(({ label }) => label).sort()).toEqual(["ami-tools", "native"]);
});

test.each([
  "upload:",
  "launch:\n  tags:",
  "certificate:",
  "regions:",
  "matrix:",
  "provision:",
  "provision:\n  - check:",
  "verify:\n  tests:",
])("what is offered behind %j has a name, and holds no map that is named by its type", async (text) => {
  const items = await completionsAt(`${head}${text} ‸`);
  expect(items.length).toBeGreaterThan(0);
  expect(JSON.stringify(items)).not.toContain("[object");
});

test("a key explains itself under the pointer, with an example as it is written", async () => {
  const path = await opened(`${head}connect:\n  port: 22\n  address: private\n`);
  const port = await server.hover(path, { line: 4, character: 4 });
  expect(port).toContain(
    "Port of the SSH server.\n\n```yaml\nport: 22\n```\n\n`imgspec explain connect.port`",
  );
  const address = await server.hover(path, { line: 5, character: 14 });
  expect(address).toContain("* `public`: The address that the internet knows it by.");
});

describe("a snippet is a sound piece of a spec once it is put in", () => {
  const { defaultSnippets: sections, definitions } = published;
  const steps = definitions.provision.items.defaultSnippets;

  test("there is one of every section and of every kind of step", () => {
    const names = sections.map(({ label }) => label);
    expect(names).toEqual(expect.arrayContaining(Object.keys(definitions)));
    expect(steps.map(({ label }) => label)).toEqual(
      definitions.provision.items.oneOf.flatMap(({ required }) => required),
    );
  });

  test.each(sections)("$label", async ({ label }) => expectSound(`${head}‸\n`, label));
  test.each(steps)("step: $label", async ({ label }) => expectSound(`${head}provision:\n  - ‸\n`, label));

  async function expectSound(text: string, label: string): Promise<void> {
    const offered = (await completionsAt(text)).filter((one) => one.label === label);
    const texts = offered.map((one) => applied(text, one)).filter((one) => /\$\{\d+:/.test(one));
    expect(texts).toHaveLength(1);
    const whole = filled(texts[0] ?? "");
    const value: unknown = parse(whole);
    expect(JSON.stringify(value)).toContain(`"${label}":`);
    expect(validateSpec(value), whole).toBe(true);
  }
});

/** What docs/editor.md tells users of VS Code to write. */
function settingsOfPage(): Readonly<Record<string, readonly string[]>> {
  const page = readFileSync(new URL("../../docs/editor.md", import.meta.url), "utf8");
  const [, text = ""] = /```json\n([\s\S]*?)```/.exec(page) ?? [];
  return (JSON.parse(text) as { "yaml.schemas": Record<string, readonly string[]> })["yaml.schemas"];
}

async function opened(text: string): Promise<string> {
  count += 1;
  const path = join(folder, `${count}.yaml`);
  await server.open(path, text);
  return path;
}

async function complaintsOf(text: string): Promise<readonly string[]> {
  count += 1;
  const complaints = await server.open(join(folder, `${count}.yaml`), text);
  return complaints.map(({ message, range: { start } }) => `${start.line}:${start.character} ${message}`);
}

/** What is offered where ‸ stands. */
async function completionsAt(text: string): Promise<readonly Completion[]> {
  const before = text.slice(0, text.indexOf("‸")).split("\n");
  const path = await opened(text.replace("‸", ""));
  return server.complete(path, { line: before.length - 1, character: before.at(-1)?.length ?? 0 });
}
