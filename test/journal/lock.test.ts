import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openJournal } from "../../src/journal/journal-file.ts";
import { compile } from "../help/compile.ts";
import { newDirectory } from "../run/rig.ts";

test("nobody else opens the journal of a run that is at work, and is told which process has it", async () => {
  await using program = await compile("test/journal/hold-program.ts");
  await using directory = await newDirectory();
  const child = spawn(process.execPath, [program.path, directory.path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await expect(openJournal(directory.path)).rejects.toMatchObject({
    code: "journal-unusable",
    message: `process ${child.pid} is still at work on the run in ${directory.path}`,
    hint: `wait for its end, or end it in order: kill -INT ${child.pid}`,
  });
  child.kill("SIGKILL");
  await once(child, "exit");
  await using journal = await openJournal(directory.path);
  expect(journal.entries.length).toBeGreaterThan(0);
});

test("a journal that was closed is open to everyone, and no lock is left", async () => {
  await using directory = await newDirectory();
  for (let round = 0; round < 2; round += 1) await (await openJournal(directory.path))[Symbol.asyncDispose]();
  expect(await readdir(directory.path)).toEqual(["journal.jsonl"]);
});

test("a journal that cannot be read leaves no lock", async () => {
  await using directory = await newDirectory();
  await writeFile(join(directory.path, "journal.jsonl"), "damage\n{}\n");
  await expect(openJournal(directory.path)).rejects.toMatchObject({ code: "journal-unusable" });
  expect(await readdir(directory.path)).toEqual(["journal.jsonl"]);
});

test.skipIf(process.platform !== "linux")(
  "a lock whose process number belongs to another process by now counts for nothing (skipped without /proc)",
  async () => {
    await using directory = await newDirectory();
    await writeFile(join(directory.path, "lock"), `${process.pid}\n1\n`);
    await using _journal = await openJournal(directory.path);
    expect(await readFile(join(directory.path, "lock"), "utf8")).not.toBe(`${process.pid}\n1\n`);
  },
);
