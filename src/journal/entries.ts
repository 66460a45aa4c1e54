import { Problem } from "../problem.ts";
import type { Entry } from "./journal.ts";

/** What a journal's bytes say. `sizeBytes`: up to the end of the last whole line. */
export type ReadEntries = {
  readonly entries: readonly Entry[];
  readonly sizeBytes: number;
  /** The last line is whole, but its line feed never reached the disk. */
  readonly wantsNewline: boolean;
};

const journalVersion = 1;

/**
 * Reads a journal's bytes. A torn last line is what a crash leaves and is passed over; anything else that is no
 * entry throws the Problem `journal-unusable`, with file and line.
 */
export function toEntries(path: string, bytes: Buffer): ReadEntries {
  const entries: Entry[] = [];
  let start = 0;
  for (let line = 1; start < bytes.length; line += 1) {
    const feed = bytes.indexOf(0x0a, start);
    const end = feed === -1 ? bytes.length : feed;
    const value = parse(bytes.toString("utf8", start, end));
    refuseNewer(path, value);
    if (!isEntry(value)) {
      if (end + 1 >= bytes.length) return { entries, sizeBytes: start, wantsNewline: false };
      throw new Problem("journal-unusable", `${path}:${line}: this line of the journal is damaged`, {
        hint: "remove by hand what the run created: everything carries the tag imgspec:run",
      });
    }
    entries.push(value);
    if (feed === -1) return { entries, sizeBytes: end, wantsNewline: true };
    start = feed + 1;
  }
  return { entries, sizeBytes: start, wantsNewline: false };
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function refuseNewer(path: string, value: unknown): void {
  if (!isRecord(value)) return;
  const { type, version } = value;
  if (type !== "started" || typeof version !== "number" || version <= journalVersion) return;
  throw new Problem(
    "journal-unusable",
    `${path} was written by a newer imgspec: its journal has version ${version}, this one reads version ${journalVersion}`,
    { hint: "use the imgspec that made this run, or a newer one" },
  );
}

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === "string";
const isCount: Check = (value) => Number.isSafeInteger(value);
const isPresent: Check = (value) => value !== undefined;

const checks: Readonly<Record<Entry["type"], Readonly<Record<string, Check>>>> = {
  started: {
    version: (value) => value === journalVersion,
    run: isString,
    spec: isString,
    at: isString,
    endpointUrl: (value) => value === null || isString(value),
  },
  acquired: { id: isCount, task: isString, kind: isString, record: isPresent },
  released: { id: isCount, kind: isString },
  kept: { id: isCount, kind: isString },
  succeeded: { task: isString, digest: isString, output: isPresent },
  finished: { outcome: isString, at: isString },
};

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { type } = value;
  if (typeof type !== "string" || !Object.hasOwn(checks, type)) return false;
  return Object.entries(checks[type as Entry["type"]]).every(([key, check]) => check(value[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
