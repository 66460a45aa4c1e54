import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readText } from "../../src/document/text.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-text-"));
});
afterAll(() => rm(directory, { recursive: true }));

test("a file is read without its byte order mark", async () => {
  const path = await fileOf("bom.yaml", Buffer.from("\ufeffimgspec: 1\n"));
  expect(await readText(path)).toEqual({ path, content: "imgspec: 1\n" });
});

test("what cannot be read is named, with the reason", async () => {
  const binary = await fileOf("image.bin", Buffer.from([0xff, 0xfe, 0x00]));
  const inFile = join(await fileOf("file", Buffer.from("x")), "spec.yaml");
  const reasons = await Promise.all([join(directory, "none.yaml"), directory, binary, inFile].map(reasonOf));
  expect(reasons).toEqual([
    `file-unreadable "${directory}/none.yaml" does not exist`,
    `file-unreadable "${directory}" is a directory`,
    `file-unreadable "${binary}" is not UTF-8 text`,
    `file-unreadable "${inFile}" does not exist: part of its path is a file`,
  ]);
});

test("a file that is too large is refused before it is read, and a device without an end while it is", async () => {
  const path = await fileOf("large.yaml", Buffer.from("imgspec: 1"));
  await truncate(path, 100 * 1024 * 1024);
  expect(await reasonOf(path)).toBe(`file-unreadable "${path}" is larger than 256 KiB, which no spec is`);
  expect(await reasonOf("/dev/zero")).toBe(
    'file-unreadable "/dev/zero" is larger than 256 KiB, which no spec is',
  );
});

async function fileOf(name: string, content: Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

async function reasonOf(path: string): Promise<string> {
  const problem = await readText(path).then(
    () => ({ code: "none", message: "read" }),
    (error: { code: string; message: string }) => error,
  );
  return `${problem.code} ${problem.message}`;
}
