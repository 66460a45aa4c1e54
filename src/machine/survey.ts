import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Problem } from "../problem.ts";
import { runHeld } from "./held-command.ts";
import { type HeldMachine, persist } from "./held-machine.ts";
import { quote } from "./quote.ts";

const program = new URL("../../templates/instance/bundle-survey.sh", import.meta.url);

/** What a machine has for bundling itself. */
export type Survey = {
  /** What is missing, in words; empty when nothing is. */
  readonly lacks: readonly string[];
  /** Why the URL cannot be reached from there, or null. */
  readonly unreachable: string | null;
  /** How far its clock is ahead of ours. */
  readonly aheadSeconds: number;
  /** Private and in memory; null when there is no room. Whoever surveys removes it (`removeDirectory`). */
  readonly directory: string | null;
};

export type SurveyOptions = {
  /** Of the compressor. */
  readonly level: number;
  /** Any answer to a GET will do. */
  readonly url: string;
  readonly sudo: boolean;
  readonly signal: AbortSignal;
};

const cleaningMs = 15_000;

/** Looks around on a machine, and makes a directory there. */
export async function survey(held: HeldMachine, options: SurveyOptions): Promise<Survey> {
  const { level, url, sudo, signal } = options;
  const told: string[] = [];
  const { code, stderr } = await runHeld(held, {
    program: await readFile(program),
    arguments: [`imgspec-${randomBytes(8).toString("hex")}`, String(level), url],
    sudo,
    signal,
    onLine: (line, from) => void (from === "stdout" && told.push(line)),
  });
  const valuesOf = (key: string): readonly string[] =>
    told.flatMap((line) => (line.startsWith(`${key}=`) ? line.slice(key.length + 1) : []));
  const clock = Number(valuesOf("clock")[0]);
  if (code !== 0 || !Number.isFinite(clock)) {
    throw new Problem(
      "command-failed",
      `the instance could not be looked over: ${stderr.trim() || `exit ${code}`}`,
    );
  }
  return {
    lacks: valuesOf("lacks"),
    unreachable: valuesOf("unreachable")[0] ?? null,
    aheadSeconds: clock - Math.round(Date.now() / 1000),
    directory: valuesOf("directory")[0] ?? null,
  };
}

/** Also when the run is over. Never throws: when the machine is gone, so is its memory. */
export async function removeDirectory(held: HeldMachine, directory: string): Promise<void> {
  const signal = AbortSignal.timeout(cleaningMs);
  // It is the user's, though what is in it is root's.
  const command = `rm -rf ${quote(directory)}`;
  await persist(held, signal, (machine) => machine.run(command, { signal })).catch(() => undefined);
}
