import { readFile } from "node:fs/promises";
import { withFiles } from "../bundle/file-problem.ts";
import { Problem } from "../problem.ts";
import { askHidden } from "./ask-hidden.ts";

/** Holds the passphrase of encrypted private keys. */
const variable = "IMGSPEC_PASSPHRASE";

/** From the file, else from the environment, else asked for on the terminal. Never from an argument: those are public. */
export async function readPassphrase(
  keyPath: string,
  file: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  if (file !== undefined) {
    const text = await withFiles(`cannot read the passphrase in ${file}`, () => readFile(file, "utf8"));
    return text.replace(/\r?\n$/, "");
  }
  const found = process.env[variable] ?? (await askHidden(`Passphrase of ${keyPath}: `, signal));
  if (found !== undefined) return found;
  throw new Problem("usage-wrong", `the private key ${keyPath} is encrypted with a passphrase`, {
    hint: `give it with --passphrase-file PATH or in ${variable}`,
  });
}
