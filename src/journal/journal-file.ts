import { constants } from "node:fs";
import { type FileHandle, mkdir, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../problem.ts";
import { toEntries } from "./entries.ts";
import type { Entry, Journal } from "./journal.ts";
import { lock } from "./lock.ts";

/** The journal's name in a run's directory. */
const journalName = "journal.jsonl";

/**
 * Opens the journal of a run, and makes it if there is none: JSON lines in a file of mode 0600 in a directory of
 * mode 0700, and this process's alone until it is closed. Throws the Problem `journal-unusable` or `disk-full`.
 */
export async function openJournal(directory: string): Promise<Journal & AsyncDisposable> {
  const path = join(directory, journalName);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const held = await lock(directory);
    try {
      return await openFile(directory, path, held);
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    throw toProblem(path, error);
  }
}

/** What a journal holds, without opening it for writing. No journal: no entries. */
export async function readJournal(directory: string): Promise<readonly Entry[]> {
  const path = join(directory, journalName);
  try {
    return toEntries(path, await readFile(path)).entries;
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw toProblem(path, error);
  }
}

async function openFile(directory: string, path: string, held: AsyncDisposable): Promise<JournalFile> {
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    await syncDirectory(directory);
    return await toJournal(path, handle, held);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** A new file is only found again after a power cut if its directory is on disk too. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function toJournal(path: string, handle: FileHandle, held: AsyncDisposable): Promise<JournalFile> {
  if (!(await handle.stat()).isFile()) {
    throw new Problem("journal-unusable", `${path} is not a file`);
  }
  const { entries, sizeBytes, wantsNewline } = toEntries(path, await handle.readFile());
  // A line that a crash tore was never waited for, so nothing is lost; left there, it would spoil the next line.
  await handle.truncate(sizeBytes);
  const file = new JournalFile(path, handle, { entries, sizeBytes, held });
  if (wantsNewline) await file.endLine();
  return file;
}

class JournalFile implements Journal, AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #held: AsyncDisposable;
  readonly #entries: Entry[];
  #sizeBytes: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    path: string,
    handle: FileHandle,
    about: { readonly entries: readonly Entry[]; readonly sizeBytes: number; readonly held: AsyncDisposable },
  ) {
    this.#path = path;
    this.#handle = handle;
    this.#held = about.held;
    this.#entries = [...about.entries];
    this.#sizeBytes = about.sizeBytes;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  append(entry: Entry): Promise<void> {
    const line = `${JSON.stringify(entry)}\n`;
    return this.#inTurn(async () => {
      await this.#write(Buffer.from(line));
      this.#entries.push(entry);
    });
  }

  endLine(): Promise<void> {
    return this.#inTurn(() => this.#write(Buffer.from("\n")));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#handle.close().catch(() => undefined);
    await this.#held[Symbol.asyncDispose]();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      let done = 0;
      while (done < bytes.length) {
        const at = this.#sizeBytes + done;
        done += (await this.#handle.write(bytes, done, bytes.length - done, at)).bytesWritten;
      }
      await this.#handle.datasync();
      this.#sizeBytes += bytes.length;
    } catch (error) {
      // Half a line must not become the beginning of the next one.
      await this.#handle.truncate(this.#sizeBytes).catch(() => undefined);
      throw toProblem(this.#path, error);
    }
  }
}

/** EFBIG is what a limit on the size of files (ulimit -f) answers. */
const diskFullCodes: ReadonlySet<string | undefined> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

function toProblem(path: string, error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (!isSystemError(error)) throw error;
  if (diskFullCodes.has(error.code)) {
    return new Problem("disk-full", `no room for the journal ${path}`, {
      hint: "free some space, or point --state-dir at a disk that has some",
      cause: error,
    });
  }
  return new Problem("journal-unusable", `the journal ${path} cannot be used: ${error.message}`, {
    hint: "a run needs a directory that it may write to: --state-dir names another",
    cause: error,
  });
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error;
}
