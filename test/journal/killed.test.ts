import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { clean } from "../../src/journal/clean.ts";
import { unreleased } from "../../src/journal/journal.ts";
import { openJournal, readJournal } from "../../src/journal/journal-file.ts";
import type { AnyResource } from "../../src/journal/resource.ts";
import { compile } from "../help/compile.ts";
import { newDirectory, noCloud } from "../run/rig.ts";
import { fileThing } from "./file-thing.ts";

// The cast forgets the types of the kind, as the table of a program does.
const resources = new Map([[fileThing.kind, fileThing as unknown as AnyResource]]);

test("what a run held when it was killed is given back by its journal alone", async () => {
  await using program = await compile("test/journal/hold-program.ts");
  await using directory = await newDirectory();
  const child = spawn(process.execPath, [program.path, directory.path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect((await readdir(directory.path)).sort()).toEqual(["first", "journal.jsonl", "lock", "second"]);

  await using journal = await openJournal(directory.path);
  const told: string[] = [];
  const leaked = await clean(journal, {
    resources,
    cloud: noCloud,
    abandon: new AbortController().signal,
    onChange: ({ change, kind, name }) => told.push(`${change} ${kind} ${name}`),
    log: () => undefined,
  });
  expect(leaked).toEqual([]);
  expect(told).toEqual([
    `released test.file file ${join(directory.path, "second")}`,
    `released test.file file ${join(directory.path, "first")}`,
  ]);
  expect(existsSync(join(directory.path, "first"))).toBe(false);
  expect(unreleased(await readJournal(directory.path))).toEqual([]);
});

test("a journal that finds no room is the problem disk-full, and what was acquired is still given back", async () => {
  await using program = await compile("test/journal/full-program.ts");
  await using directory = await newDirectory();
  // A limit on the size of files stands in for a full disk: 1 KiB, or 512 bytes where the shell counts so.
  const command = `ulimit -f 1 && exec "$0" "$1" "$2"`;
  const { stdout } = await promisify(execFile)("sh", [
    "-c",
    command,
    process.execPath,
    program.path,
    directory.path,
  ]);
  expect(JSON.parse(stdout)).toEqual({ outcome: "failed", codes: ["disk-full"], acquired: true, left: 0 });
  // Half a line was taken back.
  expect(await readFile(join(directory.path, "journal.jsonl"), "utf8")).toMatch(/\}\n$/);
});
