// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSpec } from "../../src/spec/read-spec.ts";
import { build, imageOf, least, refusalOf } from "./reading.ts";

test.each([
  ["sha256('abc')", createHash("sha256").update("abc").digest("hex")],
  ["base64('häuser')", Buffer.from("häuser").toString("base64")],
  ["'a.b.c'.replace('.', '$&')", "a$&b$&c"],
  ["build.now.format('%Y%m%d-%H:%M:%S %%')", "20261122-21:33:30 %"],
  ["string(build.now.getDayOfYear())", "325"],
])("%s is %s", async (cel, value) => {
  const { register } = await imageOf(`register: { description: "\${{ ${cel} }}" }`);
  expect(register.description).toBe(value);
});

test.each([
  ["build.now.format('%Q')", "expression-failed %Q is not one of %Y %m %d %H %M %S %%"],
  ["build.now + 1", "expression-wrong-type no such overload: google.protobuf.Timestamp + int"],
  ["file('nowhere.txt')", 'expression-failed "nowhere.txt" does not exist'],
  ["file('.')", 'expression-failed "." is no file'],
  [
    `'${"a".repeat(2000)}'.replace('a', '${"a".repeat(1000)}')`,
    "expression-failed the text would be longer than a MiB",
  ],
  ["sha256(1)", /^expression-\S+ found no matching overload for 'sha256\(int\)'/],
])("%s is told as %s", async (cel, told) => {
  const [said] = await refusalOf(imageOf(`register: { description: "\${{ ${cel} }}" }`));
  if (typeof told === "string") expect(said).toBe(told);
  else expect(said).toMatch(told);
});

test("files beside the spec are read, and the state of its repository is known where there is one", async () => {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-functions-"));
  try {
    const read = async (cel: string): Promise<string | null> => {
      const path = join(directory, "image.yaml");
      const lines = `register: { description: "\${{ ${cel} }}" }\nregions: { us-east-1: {} }\n`;
      await writeFile(path, `${least}${lines}`);
      const { spec } = await readSpec(path, { variables: {}, environment: {}, build });
      return spec.images[0]?.register.description ?? null;
    };
    await writeFile(join(directory, "motd"), "hello\n");
    expect(await read("file('motd').trim()")).toBe("hello");
    expect(await refusalOf(read("build.commit"))).toEqual([
      "expression-unknown-name build.commit is not known",
    ]);

    const git = (...words: string[]): string =>
      execFileSync("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@localhost", ...words], {
        encoding: "utf8",
      }).trim();
    git("init", "-q");
    git("add", "-A");
    git("commit", "-qm", "first");
    // Reading writes the spec anew.
    expect(await read("build.commit + (build.dirty ? '-dirty' : '')")).toBe(
      `${git("rev-parse", "HEAD")}-dirty`,
    );
  } finally {
    await rm(directory, { recursive: true });
  }
});

const digits = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
const nested = (depth: number): string =>
  depth === 0 ? "true" : `${digits}.all(x${depth}, ${nested(depth - 1)})`;

test("loops within loops end after seconds, where they would take years", async () => {
  expect(await refusalOf(imageOf(`register: { description: "\${{ ${nested(12)} ? 'a' : 'b' }}" }`))).toEqual([
    "expression-failed it takes longer than any spec needs",
  ]);
  const { register } = await imageOf(`register: { description: "\${{ ${nested(3)} ? 'a' : 'b' }}" }`);
  expect(register.description).toBe("a");
});
