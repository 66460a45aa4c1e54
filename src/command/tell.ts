import { readFileSync } from "node:fs";
import { exitCodeOf, Problem } from "../problem.ts";

/** The version in package.json: right from src/ and from dist/. */
export function versionOf(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Prints an error as people should see it, on stderr, and gives its exit code. */
export async function tell(error: unknown): Promise<number> {
  if (!(error instanceof Problem)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`imgspec: this is a bug, please report it with these lines:\n${text}\n`);
    return 1;
  }
  if (error.diagnostics.length > 0) {
    const { toExcerpts } = await import("../document/excerpt.ts");
    process.stderr.write(`${await toExcerpts(error.diagnostics)}\n`);
  }
  process.stderr.write(`imgspec: ${error.message}\n`);
  if (error.hint) process.stderr.write(`  hint: ${error.hint}\n`);
  return exitCodeOf(error.code) ?? 1;
}
