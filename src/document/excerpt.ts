import type { Diagnostic, Place } from "../diagnostic.ts";

/** What a stretch of the excerpt is, for whoever gives it a colour. */
type Role = "place" | "error" | "warning" | "frame" | "caret" | "hint";

export type Paint = (role: Role, text: string) => string;

/** Longer lines are cut around the caret. */
const frameColumns = 120;
const columnsBeforeCaret = 60;

/**
 * Every diagnostic as `file:line:column code message`, the line it is about, and a hint; in the order of their places.
 * `textOf` gives the content of a file by the path in the place. Plain text unless `paint` colours it.
 */
export function toExcerpts(
  diagnostics: readonly Diagnostic[],
  textOf: (path: string) => string | undefined,
  paint: Paint = (_role, text) => text,
): string {
  const linesOf = new Map<string, readonly string[]>();
  const excerpts = [...diagnostics].sort(byPlace).map((diagnostic) => {
    const { path } = diagnostic.place;
    const lines = linesOf.get(path) ?? (textOf(path) ?? "").split(/\r\n|\r|\n/);
    linesOf.set(path, lines);
    return toExcerpt(diagnostic, lines, paint);
  });
  return excerpts.join("\n");
}

/** Orders by file, line, column, then code, so that output is the same every time. */
export function byPlace(a: Diagnostic, b: Diagnostic): number {
  return (
    compare(a.place.path, b.place.path) ||
    a.place.line - b.place.line ||
    a.place.column - b.place.column ||
    compare(a.code, b.code)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function toExcerpt(diagnostic: Diagnostic, lines: readonly string[], paint: Paint): string {
  const { code, severity, message, hint, place } = diagnostic;
  const where = paint("place", `${toPrintable(place.path)}:${place.line}:${place.column}`);
  const what = severity === "warning" ? `${paint("warning", `${code} warning:`)}` : paint("error", code);
  const parts = [`${where} ${what} ${toPrintable(message)}`, ...toFrame(place, lines, paint)];
  if (hint !== undefined) parts.push(`  ${paint("hint", "hint:")} ${toPrintable(hint)}`);
  return `${parts.join("\n")}\n`;
}

/** The line before, the line itself, and carets under what is meant. */
function toFrame(place: Place, lines: readonly string[], paint: Paint): string[] {
  const line = lines[place.line - 1];
  if (line === undefined || line.trim() === "" || place.isSecret) return [];
  const start = line.length <= frameColumns ? 0 : Math.max(0, place.column - 1 - columnsBeforeCaret);
  const toRow = (gutter: string, content: string): string =>
    `${paint("frame", `${gutter} |`)} ${toPrintable(content.slice(start, start + frameColumns))}`.trimEnd();
  const number = String(place.line);
  const before = lines[place.line - 2];
  const rows = before?.trim() ? [toRow(`    ${String(place.line - 1).padStart(number.length)}`, before)] : [];
  rows.push(toRow(`  > ${number}`, line));

  const end = place.endLine === place.line ? place.endColumn : line.trimEnd().length + 1;
  const marked = line.slice(place.column - 1, Math.min(end - 1, start + frameColumns));
  const carets = "^".repeat(Math.max(1, columnsOf(marked)));
  const indent = " ".repeat(columnsOf(line.slice(start, place.column - 1)));
  rows.push(`${paint("frame", `    ${" ".repeat(number.length)} |`)} ${indent}${paint("caret", carets)}`);
  return rows;
}

/** A file may hold escape sequences; none of them reaches the terminal, and a tab has a width that is known. */
function toPrintable(text: string): string {
  return text.replaceAll("\t", "  ").replaceAll(/\p{Cc}|\p{Bidi_Control}/gu, "·");
}

const wide = /[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{Emoji_Presentation}]/u;

function columnsOf(text: string): number {
  let columns = 0;
  for (const character of toPrintable(text)) {
    if (!/\p{M}/u.test(character)) columns += wide.test(character) ? 2 : 1;
  }
  return columns;
}
