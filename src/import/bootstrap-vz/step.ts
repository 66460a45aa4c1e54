import type { PlainValue } from "../../document/node.ts";

export type Step = { [key: string]: PlainValue };

/** Lines that root runs on the instance; none for no lines. */
export function toRootStep(lines: readonly string[]): readonly Step[] {
  if (lines.length === 0) return [];
  const inline = lines.length === 1 ? (lines[0] ?? "") : `${lines.join("\n")}\n`;
  return [{ shell: { inline, sudo: true } }];
}

/** A file on the instance with these lines. */
export function toFileLines(path: string, lines: readonly string[]): readonly string[] {
  const [start, ...rest] = toHereDocument(lines);
  return [`cat > ${toShellWord(path)} ${start}`, ...rest];
}

/** The lines for the standard input of the command that the first of them is put behind. */
export function toHereDocument(lines: readonly string[]): readonly [string, ...string[]] {
  const inner = lines.flatMap((line) => line.split("\n"));
  let end = "END";
  while (inner.includes(end)) end += "_";
  return [`<<'${end}'`, ...lines, end];
}

/** As one word of a shell; what is an expression of the spec has no quotes in it. */
export function toShellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

export function baseOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}
