import { resolve } from "node:path";
import type { Json } from "../util/json.ts";
import type { WrittenImage } from "./image.gen.ts";
import { isPathWord } from "./paths.ts";
import { toSeconds } from "./quantity.ts";
import type { Environment } from "./spec.ts";
import type { StepBase } from "./steps.ts";

/** A program of the user's on the builder that is told what to do, and answered, in lines of JSON. */
export type ProgramStep = StepBase & {
  readonly kind: "program";
  /** Paths among the words are absolute. */
  readonly command: readonly string[];
  /** The absolute paths among the words. */
  readonly files: readonly string[];
  readonly options: { readonly [name: string]: Json };
  readonly secrets: Environment;
  /** Absolute: that of the spec, in which the program runs. */
  readonly directory: string;
};

type WrittenProgram = NonNullable<WrittenImage["provision"][number]["program"]>;

export function toProgramStep(
  written: WrittenProgram,
  { label, directory, secrets }: Pick<ProgramStep, "label" | "directory" | "secrets">,
): ProgramStep {
  const toWord = (word: string): string => (isPathWord(word) ? resolve(directory, word) : word);
  return {
    kind: "program",
    title: written.command.join(" "),
    label,
    timeoutSeconds: toSeconds(written.timeout),
    retries: written.retries,
    command: written.command.map(toWord),
    files: written.command.filter(isPathWord).map(toWord),
    // A cast from what YAML can hold.
    options: written.options as { readonly [name: string]: Json },
    secrets,
    directory,
  };
}
