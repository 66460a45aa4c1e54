import { resolve } from "node:path";
import { withFiles } from "../bundle/file-problem.ts";
import { type HeldMachine, persist } from "../machine/held-machine.ts";
import { runScript } from "../machine/script.ts";
import { Problem } from "../problem.ts";
import type { Json } from "../util/json.ts";
import { rootUpload } from "./root-upload.ts";

/** One line of a program's stdout, as docs/programs.md describes it. */
export type Request =
  | { readonly request: "log"; readonly line: string }
  | { readonly request: "hide"; readonly value: string }
  | ({ readonly id: number } & Work);

type Work = RunRequest | UploadRequest | DownloadRequest;

type RunRequest = {
  readonly request: "run";
  readonly script: string;
  readonly sudo?: boolean;
  readonly env?: { readonly [name: string]: string };
  readonly workdir?: string;
  readonly timeoutSeconds?: number;
};

type UploadRequest = {
  readonly request: "upload";
  readonly from: string;
  readonly to: string;
  readonly mode?: string;
  readonly sudo?: boolean;
};

type DownloadRequest = { readonly request: "download"; readonly from: string; readonly to: string };

type Field = { readonly type: string; readonly isOptional?: true };
const text: Field = { type: "a text" };
const flag: Field = { type: "true or false", isOptional: true };

/** The fields of each request beside `request`. */
const fieldsOf: Readonly<Record<Request["request"], Readonly<Record<string, Field>>>> = {
  log: { line: text },
  hide: { value: text },
  run: {
    id: { type: "a whole number" },
    script: text,
    sudo: flag,
    env: { type: "a map of texts", isOptional: true },
    workdir: { ...text, isOptional: true },
    timeoutSeconds: { type: "a whole number", isOptional: true },
  },
  upload: {
    id: { type: "a whole number" },
    from: text,
    to: text,
    mode: { type: "octal digits as a text", isOptional: true },
    sudo: flag,
  },
  download: { id: { type: "a whole number" }, from: text, to: text },
};

const holds: Readonly<Record<string, (value: unknown) => boolean>> = {
  "a text": (value) => typeof value === "string",
  "true or false": (value) => typeof value === "boolean",
  "a whole number": (value) => Number.isSafeInteger(value) && (value as number) > 0,
  "octal digits as a text": (value) => typeof value === "string" && /^[0-7]{3,4}$/.test(value),
  "a map of texts": (value) =>
    isMap(value) &&
    Object.entries(value).every(([name, inner]) => /^[A-Za-z_]\w*$/.test(name) && typeof inner === "string"),
};

/** A line as a request, or in words what is wrong with it. */
export function toRequest(line: string): Request | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is not JSON";
  }
  if (!isMap(value)) return "it is not a JSON object";
  const kind = value["request"];
  if (typeof kind !== "string" || !Object.hasOwn(fieldsOf, kind)) {
    return `its "request" must be ${Object.keys(fieldsOf).join(", ")}`;
  }
  const fields = fieldsOf[kind as Request["request"]];
  const unknown = Object.keys(value).find((key) => key !== "request" && !Object.hasOwn(fields, key));
  if (unknown !== undefined) return `a request to ${kind} has no "${unknown}"`;
  for (const [name, { type, isOptional }] of Object.entries(fields)) {
    if (value[name] === undefined && isOptional) continue;
    if (!holds[type]?.(value[name])) return `its "${name}" must be ${type}`;
  }
  // Every field was looked at just now.
  return value as unknown as Request;
}

function isMap(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export type WorkPlace = {
  readonly held: HeldMachine;
  readonly signal: AbortSignal;
  /** Absolute; local paths are relative to it. */
  readonly directory: string;
  /** For scripts that have no time of their own. */
  readonly timeoutSeconds: number;
  onLine(line: string): void;
};

/** Carries out a request on the instance, and gives what the program is answered. Throws the Problem that is in the way. */
export async function perform(work: Work, place: WorkPlace): Promise<Json> {
  const { held, signal, directory } = place;
  switch (work.request) {
    case "run": {
      const script = work.script.startsWith("#!") ? work.script : `#!/bin/sh\nset -eu\n${work.script}\n`;
      const {
        code,
        signal: endedBy,
        stdout,
        stderr,
      } = await runScript(held, {
        text: script,
        env: work.env ?? {},
        sudo: work.sudo ?? false,
        workdir: work.workdir ?? null,
        timeoutSeconds: work.timeoutSeconds ?? place.timeoutSeconds,
        signal,
        onLine: place.onLine,
      });
      return { code, signal: endedBy, stdout, stderr };
    }
    case "upload": {
      const from = resolve(directory, work.from);
      const options = { signal, ...(work.mode === undefined ? {} : { mode: Number.parseInt(work.mode, 8) }) };
      if (work.sudo) await rootUpload(held, from, work.to, options);
      else await persist(held, signal, (machine) => machine.upload(from, work.to, options));
      return {};
    }
    case "download": {
      const to = resolve(directory, work.to);
      await withFiles(`the program cannot write ${to}`, () =>
        persist(held, signal, (machine) => machine.download(work.from, to, { signal })),
      );
      return {};
    }
    default:
      return work satisfies never;
  }
}

/** What a program is told of a request that could not be carried out; a bug is nobody's answer, and is thrown. */
export function toRefusal(error: unknown): Json {
  if (!(error instanceof Problem)) throw error;
  return { code: error.code, message: error.message, hint: error.hint ?? null };
}
