import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const read = (name: string): Buffer =>
  readFileSync(new URL(`../../src/bundle/libdeflate/${name}`, import.meta.url));

test.each(["deflate.wasm", "glue.c", "wasm.patch", "build.sh", "upstream.sha256"])(
  "%s is the one whose digest README.md tells: what is built and what it is built from change together",
  (name) => {
    const digest = createHash("sha256").update(read(name)).digest("hex");
    expect(read("README.md").toString()).toContain(`${digest}  ${name}\n`);
  },
);

test("the compiled program imports nothing and has only what its threads call", () => {
  // A module without an import section: the sections of a module stand in the order of their numbers.
  expect(sectionsOf(read("deflate.wasm"))).toEqual([]);
});
