import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { expect, test, vi } from "vitest";
import { addValidate } from "../../src/command/validate.ts";
import { least } from "../spec/reading.ts";

test("of many images the first are named, and the others counted", async () => {
  expect(await validated(12)).toMatch(/valid: 12 images \(us-east-1\.0, .*, us-east-1\.11\)\n$/);
  expect(await validated(40)).toMatch(/valid: 40 images \(us-east-1\.0, .*, us-east-1\.9 and 30 more\)\n$/);
});

async function validated(count: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-validate-"));
  const written: string[] = [];
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  try {
    const path = join(directory, "image.yaml");
    const values = Array.from({ length: count }, (_, index) => `"${index}"`).join(", ");
    await writeFile(path, `${least}matrix: { n: [${values}] }\nregions: { us-east-1: {} }\n`);
    const program = new Command();
    addValidate(program, () => undefined);
    await program.parseAsync(["validate", path], { from: "user" });
    return written.join("");
  } finally {
    spy.mockRestore();
    await rm(directory, { recursive: true });
  }
}
