import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { explain } from "../../src/spec/explain.ts";
import { toExplainedText } from "../../src/spec/explained-text.ts";
import { keysOf, resolve, type Schema } from "../../src/spec/written-schema.ts";
import { refusalOf } from "./reading.ts";

const schema = JSON.parse(
  readFileSync(new URL("../../schemas/imgspec.v1.schema.json", import.meta.url), "utf8"),
) as Schema;

const textOf = (path: string, columns = 100): string =>
  toExplainedText(schema, explain(schema, path), columns);
const refusal = (path: string): Promise<string[]> =>
  refusalOf(Promise.resolve().then(() => explain(schema, path)));

test("a key is told with its type, its values, its default, an example and the keys below it", () => {
  expect(textOf("bundle.hygiene.logs")).toBe(`bundle.hygiene.logs

Files below /var/log; the directories stay.

type      text
values    scrub | refuse | keep
default   keep
example   logs: keep
`);
  const hygiene = textOf("bundle.hygiene");
  expect(hygiene).toContain("example   hygiene: { privateKeys: keep, logs: scrub }");
  expect(hygiene).toMatch(
    /\n {2}sshHostKeys {7}The SSH server's own keys, .*\n.*refuse \| keep; default scrub\)\n/,
  );
});

test("the words on a key do not speak of the expression that any value may be", () => {
  expect(textOf("connect.port")).toContain("type      whole number\nvalues    1 to 65535\n");
  expect(textOf("connect.agent")).toContain("type      true or false\n");
  expect(textOf("launch.tags.*")).toContain("type      text\n");
  expect(textOf("provision.shell.exitCodes")).toContain("type      list of whole numbers\n");
  expect(textOf("source.image")).toContain('rule      must be an AMI id: "ami-" and 8');
});

test("a list says how it is added to", () => {
  expect(textOf("launch.instanceTypes")).toContain("type      list of text\n");
  expect(textOf("launch.instanceTypes")).toContain("instanceTypes: { append: […] } or { prepend: […] } adds");
});

test.each([
  ["regions.us-east-1.upload", "regions.*.upload"],
  ["provision[0].shell", "provision.shell"],
  ["provision.2.shell", "provision.shell"],
  ["variables.release.pattern", "variables.*.pattern"],
  ["provision.append.*.upload", "provision.upload"],
  ["regions.us-east-1.provision.shell.env", "provision.shell.env"],
])("%s is explained as %s is", (one, other) => {
  const withoutPath = (text: string): string => text.split("\n").slice(1).join("\n");
  expect(withoutPath(textOf(one))).toBe(withoutPath(textOf(other)));
});

test("where a section has methods, the keys of each are told, and what they have in common once", () => {
  const bundle = textOf("bundle");
  const [native = "", tools = ""] = bundle.split("With method: ami-tools");
  expect(native).toMatch(/With method: native[\s\S]*\n {2}hygiene /);
  expect(native).not.toMatch(/\n {2}amiTools /);
  expect(tools).toMatch(/\n {2}amiTools /);
  expect(textOf("bundle.method")).toContain("values    native | ami-tools\n");
  expect(textOf("bundle.partition").split("With method: ").length).toBe(3);
  expect(textOf("bundle.name")).not.toContain("With method");
});

test("without a path the top level is told", () => {
  const text = textOf("");
  for (const key of keysOf(schema).keys()) expect(text).toMatch(new RegExp(`^ {2}${key} `, "m"));
});

test("lines fit into the terminal, but for examples", () => {
  const long = textOf("bundle", 60)
    .split("\n")
    .filter((line) => line.length > 60 && !line.startsWith("example"));
  expect(long).toEqual([]);
});

describe("a key that is not there", () => {
  test("is told with what was meant and what there is", async () => {
    expect(await refusal("bundle.hygeine")).toEqual([
      expect.stringMatching(
        /^usage-wrong "hygeine" is not a key of bundle \(did you mean bundle\.hygiene\? the keys are method, at, .*, amiTools\)$/,
      ),
    ]);
    expect(await refusal("hygeine")).toEqual([expect.stringContaining("did you mean bundle.hygiene?")]);
    expect(await refusal("sudo")).toEqual([
      expect.stringContaining("provision.shell.sudo or provision.upload.sudo"),
    ]);
    expect(await refusal("bundle.name.x")).toEqual([
      "usage-wrong bundle.name has no keys below it (imgspec explain bundle.name)",
    ]);
  });
});

describe("the fragment", () => {
  test.each(["", "bundle", "bundle.partition", "regions", "regions.*", "provision.shell", "upload.acl"])(
    "of %j is a schema by itself that accepts its examples",
    (path) => {
      const { fragment } = explain(schema, path);
      const validate = new Ajv({ strict: false }).compile(fragment);
      for (const example of resolve(schema, fragment).examples ?? []) expect(validate(example)).toBe(true);
    },
  );
});
