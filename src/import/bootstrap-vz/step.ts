import type { PlainValue } from "../../document/node.ts";

export type Step = { [key: string]: PlainValue };

/** Lines that root runs on the instance; none for no lines. */
export function toRootStep(lines: readonly string[], retries?: number): readonly Step[] {
  if (lines.length === 0) return [];
  const inline = lines.length === 1 ? (lines[0] ?? "") : `${lines.join("\n")}\n`;
  return [{ shell: { inline, sudo: true, ...(retries === undefined ? {} : { retries }) } }];
}

/** A file on the instance with these lines. */
export function toFileLines(path: string, lines: readonly string[]): readonly string[] {
  return [`cat > ${toShellWord(path)} <<'END'`, ...lines, "END"];
}

/** As one word of a shell; what is an expression of the spec has no quotes in it. */
export function toShellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function baseOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}
