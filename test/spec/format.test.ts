import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toUnifiedDiff } from "../../src/document/diff.ts";
import { type Formatted, format } from "../../src/document/format.ts";
import { Problem } from "../../src/problem.ts";
import { keysAt } from "../../src/spec/key-order.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { Schema } from "../../src/spec/written-schema.ts";
import { build } from "./reading.ts";

const root = resolve(import.meta.dirname, "../..");
const schema = JSON.parse(await readFile(join(root, "schemas/imgspec.v1.schema.json"), "utf8")) as Schema;
const formatted = (content: string): Formatted =>
  format({ path: "image.yaml", content }, (path) => keysAt(schema, path));

const specsIn = async (folder: string): Promise<string[]> =>
  (await readdir(join(root, folder), { recursive: true }))
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => join(folder, name));
const own = [...(await specsIn("templates")), ...(await specsIn("examples"))];

test.each(own)("%s is in canonical form", async (path) => {
  const content = await readFile(join(root, path), "utf8");
  expect(toUnifiedDiff(path, content, formatted(content).content ?? "")).toBe("");
});

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgspec-format-"));
  for (const part of ["templates", "examples", "test/spec/golden"])
    await cp(join(root, part), join(folder, part), { recursive: true });
});
afterAll(() => rm(folder, { recursive: true }));

const all = [...own, ...(await specsIn("test/spec/golden"))];

test.each(all)(
  "%s means the same when it is formatted, and formatting it again changes nothing",
  async (path) => {
    const content = await readFile(join(root, path), "utf8");
    const { content: once, diagnostics } = formatted(content);
    if (once === undefined) return expect(diagnostics.length).toBeGreaterThan(0);
    expect(formatted(once).content).toBe(once);
    const copy = join(folder, path);
    const before = await toReading(copy);
    await writeFile(copy, once);
    try {
      expect(await toReading(copy)).toEqual(before);
    } finally {
      // Others may extend it.
      await writeFile(copy, content);
    }
  },
);

test("comments, quotes, numbers and blank lines are kept, keys and columns put in order", () => {
  expect(formatted(unordered).content).toBe(ordered);
  expect(formatted(unordered.replaceAll("\n", "\r\n")).content).toBe(ordered);
  expect(formatted(ordered).content).toBe(ordered);
});

const unordered = `# About the file.

name:   web
imgspec: 1


# Where it goes.
regions:
    us-east-1:
    cn-north-1:   {profile: china,
        source: {image: ami-0123456789abcdef0} }   # why
upload: {bucket: "a", prefix: 'b'}
launch: # behind the key
    # about tags
    tags: { b: 010, a: 1e3 }
    instanceTypes:
    - m3.medium   # one
    # in between
    - m3.large
    # at the end of launch
    userData: >-
        folded
        text

          deeper
connect:
    user: ec2-user
    # last of connect

# About the source.
source:
  find: { owner: amazon, # who
     name: "a\\x41
       b" }
`;

const ordered = `# About the file.

imgspec: 1
name: web

# About the source.
source:
  find:
    name: "a\\x41
      b"
    owner: amazon # who
launch: # behind the key
  instanceTypes:
    - m3.medium # one
    # in between
    - m3.large
    # at the end of launch
  userData: >-
    folded
    text

      deeper
  # about tags
  tags: { b: 010, a: 1e3 }
connect:
  user: ec2-user
  # last of connect
upload: { bucket: "a", prefix: 'b' }

# Where it goes.
regions:
  us-east-1:
  cn-north-1: { profile: china, source: { image: ami-0123456789abcdef0 } } # why
`;

test("keys stay where they are when an alias would come before its anchor", () => {
  const text = "name: web\nupload: &place\n    bucket: a\nsource: *place\n";
  expect(formatted(text).content).toBe(text.replace("    bucket", "  bucket"));
  const fine = "upload: { bucket: &b a }\nname: web\nregister: { name: *b }\n";
  expect(formatted(fine).content).toBe("name: web\nupload: { bucket: &b a }\nregister: { name: *b }\n");
});

describe("what is no YAML", () => {
  test.each(["a: [1\n", "a: 1\na: 2\n", "a: *b\n", "---\na: 1\n---\nb: 2\n", "", "a: !x 1\n"])(
    "is told and not formatted: %j",
    (text) => {
      const { content, diagnostics } = formatted(text);
      expect(content).toBeUndefined();
      expect(diagnostics[0]?.place).toMatchObject({ path: "image.yaml" });
    },
  );
});

const word = fc.constantFrom(
  "name",
  "source",
  "find",
  "shell",
  "provision",
  "a",
  "x y",
  "b: c",
  "# d",
  "1e3",
  "",
  "-",
);
const comment = fc.constantFrom("", "", " # here");
const blank = fc.constantFrom("", "", "\n", "# between\n", "    # deeper\n");
const quoted = word.map((text) => JSON.stringify(text));
const scalar = fc.oneof(
  quoted,
  word.map((text) => `'${text}'`),
  fc.constantFrom("0x1F", "~", "yes", "", "*n"),
);
const flow = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    quoted,
    fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(" ,")}]`),
    fc
      .array(tie("value"), { maxLength: 3 })
      .map((items) => `{${items.map((v, i) => `k${i}: ${v}`).join(",\n       ")}}`),
  ),
})).value;

/** Lines of a map, two columns a level. */
const lines = (indent: string, depth: number): fc.Arbitrary<string> => {
  const below =
    depth === 0
      ? scalar.map((text) => ` ${text}`)
      : lines(`${indent}  `, depth - 1).map((text) => `\n${text}`);
  const text = fc
    .constantFrom("|", ">", "|-", ">+")
    .map((head) => ` ${head}\n${indent}  a\n\n${indent}     b\n${indent}  c`);
  const value = fc.oneof(
    scalar.map((plain) => ` ${plain}`),
    flow.map((inner) => ` ${inner}`),
    below,
    text,
  );
  const entry = fc.tuple(blank, fc.uniqueArray(word, { minLength: 1, maxLength: 1 }), value, comment);
  return fc
    .uniqueArray(entry, { minLength: 1, maxLength: 5, selector: ([, [key]]) => key })
    .map((entries) =>
      entries
        .map(
          ([above, [key], inner, behind]) =>
            `${above}${indent}"${key}":${inner}${inner.includes("\n") ? "" : behind}\n`,
        )
        .join(""),
    );
};

test("any YAML means the same when it is formatted, and formatting it again changes nothing", () => {
  let count = 0;
  fc.assert(
    fc.property(lines("", 2), (text) => {
      const { content } = formatted(`anchor: &n here\n${text}`);
      if (content === undefined) return;
      count += 1;
      expect(formatted(content).content).toBe(content);
    }),
    { numRuns: 150 },
  );
  expect(count).toBeGreaterThan(50);
});

/** What comes of reading a spec, without the places, which move. */
async function toReading(path: string): Promise<unknown> {
  try {
    const { spec, warnings } = await readSpec(path, { variables: {}, environment: { PATH: "/bin" }, build });
    return {
      images: spec.images,
      warnings: warnings.map(({ code, message }) => `${code} ${message}`).sort(),
    };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.diagnostics.map(({ code, message }) => `${code} ${message}`).sort();
  }
}
