import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** TypeScript knows it of browsers only. */
const { Module } = Reflect.get(globalThis, "WebAssembly") as {
  Module: {
    new (bytes: Uint8Array): object;
    imports(module: object): readonly object[];
    exports(module: object): readonly { readonly name: string }[];
  };
};

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
  const compiled = new Module(read("deflate.wasm"));
  expect(Module.imports(compiled)).toEqual([]);
  const names = Module.exports(compiled).map(({ name }) => name);
  expect(names.sort()).toEqual(["deflate", "input", "memory", "output", "start"]);
});
