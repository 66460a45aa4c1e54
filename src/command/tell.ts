import { readFileSync } from "node:fs";
import type { Diagnostic } from "../diagnostic.ts";
import { exitCodeOf, Problem } from "../problem.ts";

/** The version in package.json: right from src/ and from dist/. */
export function versionOf(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Prints an error as people should see it, on stderr, and gives its exit code. */
export async function tell(error: unknown): Promise<number> {
  if (!(error instanceof Problem)) {
    const { toTrace } = await import("./trace.ts");
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`imgspec: this is a bug, please report it with these lines:\n${toTrace(text)}\n`);
    return 1;
  }
  await tellDiagnostics(error.diagnostics);
  process.stderr.write(`imgspec: ${error.message}\n`);
  if (error.hint) process.stderr.write(`  hint: ${error.hint}\n`);
  return exitCodeOf(error.code) ?? 1;
}

/** Prints diagnostics with their lines, in colour on a terminal. */
export async function tellDiagnostics(diagnostics: readonly Diagnostic[]): Promise<void> {
  if (diagnostics.length === 0) return;
  const [{ toExcerpts }, { default: colors }] = await Promise.all([
    import("../document/excerpt.ts"),
    import("picocolors"),
  ]);
  const painters = {
    place: "bold",
    error: "red",
    warning: "yellow",
    frame: "dim",
    caret: "red",
    hint: "cyan",
  } as const;
  const paint = colors.createColors(Boolean(process.stderr.isTTY) && !process.env["NO_COLOR"]);
  const text = toExcerpts(diagnostics, textOf, (role, part) => paint[painters[role]](part));
  process.stderr.write(`${text.replace(/\n*$/, "")}\n\n`);
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
