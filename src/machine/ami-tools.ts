import { readFile } from "node:fs/promises";

import { Problem, type ProblemCode } from "../problem.ts";
import { runHeld } from "./held-command.ts";
import { type HeldMachine, persist } from "./held-machine.ts";
import { quote } from "./quote.ts";

const program = new URL("../../templates/instance/ami-tools.sh", import.meta.url);

/** One version, and known by its digest: what the user guide's ec2-ami-tools.zip is changes without a word. */
const archive = {
  archive_url: "https://s3.amazonaws.com/ec2-downloads/ec2-ami-tools-1.5.19.zip",
  archive_sha256: "bdda4494bea7d55dfff995459dd4705a953f3365bbc69f03430c796b5cc1dd7f",
  tools_home: "/usr/local/ec2",
};

/** What of the user's environment the tools read, which sudo would take away. */
const kept = `for name in EC2_AMITOOL_HOME EC2_HOME RUBYLIB GEM_HOME GEM_PATH PATH; do
  eval "value=\\\${$name:-}"
  [ -z "$value" ] || printf '%s=%s\\n' "$name" "$value"
done`;

const cleaningMs = 15_000;

/** What is told of the program beside its values; its text is secret and travels on standard input alone. */
export type AmiToolsRun = {
  readonly action: "prepare" | "bundle" | "upload" | "clean";
  /** Of the directories of this build on the machine. */
  readonly name: string;
  readonly values: Readonly<Record<string, string>>;
  /** Bodies of shell functions that the program calls. */
  readonly functions?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Hears what the program tells of itself: a word and a text. */
  readonly onTold?: (word: string, text: string) => void;
};

/**
 * Runs one of the actions of the AMI tools' program as root; it goes on while the connection is lost. Throws a Problem with what is missing or wrong, or with
 * how the tool ended.
 */
export async function runAmiTools(
  held: HeldMachine,
  run: AmiToolsRun,
  failure: { readonly code: ProblemCode; readonly what: string; readonly hint: string },
): Promise<void> {
  const told = new Map<string, string>();
  const printed: string[] = [];
  const environment = await readEnvironment(held, run.signal);
  const { code, signal } = await runHeld(held, {
    program: "exec sh -s",
    sudo: true,
    signal: run.signal,
    stdin: `${environment}${await toInput(run)}`,
    onLine: (line) => {
      const [, word, text] = /^imgspec-(\w+): (.*)$/.exec(line) ?? [];
      if (word !== undefined && text !== undefined) {
        told.set(word, text);
        run.onTold?.(word, text);
      } else {
        printed.push(line);
        run.log(line);
      }
    },
  });
  if (code === 0) return;
  const missing = told.get("missing");
  if (missing !== undefined) {
    throw new Problem(failure.code, `the instance lacks ${missing}`, {
      hint: "take a source AMI that has them, or say in bundle.amiTools.install or installCommands where they come from",
    });
  }
  const how = code === null ? `was ended by SIG${signal ?? "KILL"}` : `ended with exit code ${code}`;
  const why = told.get("problem") ?? `${failure.what} ${how}`;
  throw new Problem(failure.code, [why, ...printed.slice(-5)].join("\n  "), {
    hint: failure.hint,
  });
}

/** Removes what a build has put on the machine; that this fails must not hide how the build ended. */
export async function cleanAmiTools(
  held: HeldMachine,
  name: string,
  work: string,
  log: (line: string) => void,
): Promise<void> {
  const signal = AbortSignal.timeout(cleaningMs);
  const failure = { code: "command-failed", what: "cleaning up", hint: "" } as const;
  await runAmiTools(held, { action: "clean", name, values: { work }, signal, log }, failure).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      log(`the files of the AMI tools may still be on the instance: ${why}`);
    },
  );
}

async function readEnvironment(held: HeldMachine, signal: AbortSignal): Promise<string> {
  const { stdout } = await persist(held, signal, (machine) =>
    machine.run(`sh -c ${quote(kept)}`, { signal }),
  );
  const settings = [...stdout.matchAll(/^([A-Z0-9_]+)=(.+)$/gm)];
  return settings.map(([, name = "", value = ""]) => `export ${name}=${quote(value)}\n`).join("");
}

async function toInput({ action, name, values, functions = {} }: AmiToolsRun): Promise<string> {
  const settings = Object.entries({ ...archive, name, ...values }).map(
    ([key, value]) => `${key}=${quote(value)}`,
  );
  const bodies = Object.entries(functions).map(([key, body]) => `${key}() {\n${body}\n}`);
  const text = await readFile(program, "utf8");
  return [text, ...settings, ...bodies, action, ""].join("\n");
}
