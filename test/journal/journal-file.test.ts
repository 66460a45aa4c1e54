import { appendFile, chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Entry } from "../../src/journal/journal.ts";
import { openJournal, readJournal } from "../../src/journal/journal-file.ts";
import { newDirectory } from "../run/rig.ts";

const started: Entry = {
  type: "started",
  version: 1,
  run: "r1",
  spec: "web",
  at: "2026-11-22",
  endpointUrl: null,
};
const acquired: Entry = {
  type: "acquired",
  id: 1,
  task: "r/a",
  kind: "thing",
  record: { name: "lamp", ü: "💡" },
};
const released: Entry = { type: "released", id: 1, kind: "thing" };

test("what was appended is read back by another process, in order", async () => {
  await using directory = await newDirectory();
  {
    await using journal = await openJournal(join(directory.path, "runs/1"));
    await Promise.all([started, acquired, released].map((entry) => journal.append(entry)));
    expect(journal.entries).toEqual([started, acquired, released]);
  }
  expect(await readJournal(join(directory.path, "runs/1"))).toEqual([started, acquired, released]);
});

test("an entry is on disk when its append resolves", async () => {
  await using directory = await newDirectory();
  await using journal = await openJournal(directory.path);
  await journal.append(acquired);
  expect(await readFile(join(directory.path, "journal.jsonl"), "utf8")).toBe(`${JSON.stringify(acquired)}\n`);
});

test("only its owner may read a journal", async () => {
  await using directory = await newDirectory();
  const path = join(directory.path, "run");
  await using _journal = await openJournal(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect((await stat(join(path, "journal.jsonl"))).mode & 0o777).toBe(0o600);
});

test("no journal has no entries", async () => {
  await using directory = await newDirectory();
  expect(await readJournal(join(directory.path, "nowhere"))).toEqual([]);
});

test.each([
  ["half a line", `${JSON.stringify(released).slice(0, 20)}`],
  ["zeros, as a power cut leaves them", "\0".repeat(1000)],
  ["a line that is no entry", '{"type":"rel'.concat("\n")],
])("%s at the end is passed over, and the next entry begins on its own line", async (_name, torn) => {
  await using directory = await newDirectory();
  await writeLines(directory.path, [started, acquired]);
  await appendFile(join(directory.path, "journal.jsonl"), torn);
  expect(await readJournal(directory.path)).toEqual([started, acquired]);
  {
    await using journal = await openJournal(directory.path);
    expect(journal.entries).toEqual([started, acquired]);
    await journal.append(released);
  }
  const lines = [started, acquired, released].map((entry) => `${JSON.stringify(entry)}\n`);
  expect(await readFile(join(directory.path, "journal.jsonl"), "utf8")).toBe(lines.join(""));
});

test("a last line that lacks only its line feed is kept", async () => {
  await using directory = await newDirectory();
  await writeLines(directory.path, [started]);
  await appendFile(join(directory.path, "journal.jsonl"), JSON.stringify(acquired));
  {
    await using journal = await openJournal(directory.path);
    await journal.append(released);
  }
  expect(await readJournal(directory.path)).toEqual([started, acquired, released]);
});

test("damage in the middle is told with file and line", async () => {
  await using directory = await newDirectory();
  const path = await writeLines(directory.path, [started]);
  await appendFile(path, `{"type":"acquired","id":"one"}\n${JSON.stringify(released)}\n`);
  await expect(openJournal(directory.path)).rejects.toMatchObject({
    name: "Problem",
    code: "journal-unusable",
    message: `${path}:2: this line of the journal is damaged`,
  });
});

test("a journal of a newer version is refused with a sentence", async () => {
  await using directory = await newDirectory();
  const path = join(directory.path, "journal.jsonl");
  await writeFile(path, `${JSON.stringify({ ...started, version: 2 })}\n`);
  await expect(openJournal(directory.path)).rejects.toMatchObject({
    code: "journal-unusable",
    message: `${path} was written by a newer imgspec: its journal has version 2, this one reads version 1`,
  });
});

test("a directory that is a file, and a journal that is a directory, are told as such", async () => {
  await using directory = await newDirectory();
  const file = join(directory.path, "file");
  await writeFile(file, "");
  await expect(openJournal(file)).rejects.toMatchObject({ code: "journal-unusable" });
  await mkdir(join(directory.path, "run/journal.jsonl"), { recursive: true });
  await expect(openJournal(join(directory.path, "run"))).rejects.toMatchObject({ code: "journal-unusable" });
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)("a directory without the right to write is told as such", async () => {
  await using directory = await newDirectory();
  await chmod(directory.path, 0o500);
  await expect(openJournal(directory.path)).rejects.toMatchObject({ code: "journal-unusable" });
  await chmod(directory.path, 0o700);
});

async function writeLines(directory: string, entries: readonly Entry[]): Promise<string> {
  const path = join(directory, "journal.jsonl");
  await writeFile(path, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
  return path;
}
