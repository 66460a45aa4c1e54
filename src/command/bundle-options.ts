import { type Command, InvalidArgumentError, Option } from "commander";
import { exitCodeOf, Problem } from "../problem.ts";
import type { Meter } from "../report/meter.ts";
import { tell } from "./tell.ts";

/** What every command around bundles takes. */
export type TalkOptions = { readonly output: "text" | "json"; readonly quiet?: boolean };

export function addTalkOptions(command: Command): Command {
  return command
    .addOption(
      new Option("-o, --output <format>", "how to print the result on stdout")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("-q, --quiet", "no progress, no notices; of the result only what --output json asks for");
}

/** The private key that opens a bundle, and what opens the key. */
export type KeyOptions = { readonly privatekey?: string; readonly passphraseFile?: string };

export function addKeyOptions(command: Command, what: string): Command {
  return command
    .option("-k, --privatekey <path>", what)
    .option(
      "--passphrase-file <path>",
      "holds the passphrase of an encrypted private key; or set IMGSPEC_PASSPHRASE, or be asked",
    );
}

/** Of an old bundle: Amazon's tools take its manifest as an option, a person rather as the argument. */
export type ManifestOptions = { readonly manifest?: string };

export function addManifest(
  command: Command,
  where = "the bundle's manifest: a file, or s3://bucket/prefix/NAME.manifest.xml",
): Command {
  return command.argument("[manifest]", where).option("-m, --manifest <path>", "the same, as an option");
}

/** The one of two ways to say something that was used; else the Problem `usage-wrong`. */
export function oneOf(argument: string | undefined, option: string | undefined, what: string): string {
  if (argument !== undefined && option !== undefined && argument !== option) {
    throw new Problem("usage-wrong", `two ${what}s are named: ${argument} and ${option}`, {
      hint: "name one",
    });
  }
  const found = argument ?? option;
  if (found !== undefined) return found;
  throw new Problem("usage-wrong", `no ${what} is named`, { hint: "add --help to see how" });
}

/** Prints a result: as JSON, or as text unless nobody wants to hear it. */
export function print({ output, quiet = false }: TalkOptions, json: unknown, text: () => string): void {
  if (output === "json") process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  else if (!quiet) process.stdout.write(`${text().replace(/\n*$/, "")}\n`);
}

/** Says something on stderr that is no failure. */
export function notice({ quiet = false }: TalkOptions, text: string): void {
  if (!quiet) process.stderr.write(`imgspec: ${text}\n`);
}

/** Shows on stderr how far a work has come, unless nobody wants to see it. */
export async function newMeter(
  { quiet = false }: TalkOptions,
  what: string,
  totalBytes: number,
): Promise<Meter | undefined> {
  if (quiet) return undefined;
  const [{ Meter }, { Output }] = await Promise.all([
    import("../report/meter.ts"),
    import("../report/output.ts"),
  ]);
  const { stderr, env } = process;
  return new Meter({
    out: new Output(stderr, () => undefined),
    what,
    totalBytes,
    isTerminal: Boolean(stderr.isTTY) && env["TERM"] !== "dumb",
    now: () => performance.now(),
  });
}

/** Does the work of a bundle command. What has no exit code of its own (a full disk) is a failure of bundling: 6. */
export async function bundling(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Problem) || exitCodeOf(error.code) !== undefined) throw error;
    await tell(error);
    return 6;
  }
}

/** Bytes in `10GiB`, `512MiB` or a plain number. */
export function toBytes(value: string): number {
  const [, digits, unit = ""] = /^(\d+) ?(B|KiB|MiB|GiB|TiB)?$/.exec(value) ?? [];
  const bytes = Number(digits) * (units[unit] ?? 1);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new InvalidArgumentError("write it as a number of bytes, or as 512MiB or 10GiB");
}

const units: Readonly<Record<string, number>> = {
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};
