import type { Cursor } from "./cursor.ts";
import type { Expression } from "./syntax.ts";

type Read = (cursor: Cursor) => Expression;
type Part = string | Expression;

const escapes: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", '"': '"', "\\": "\\" };

/** A text in quotes, with `${ … }` in it. The cursor is at the quote. */
export function readQuoted(cursor: Cursor, read: Read): Expression {
  const start = cursor.at;
  cursor.expect('"');
  const parts: Part[] = [];
  for (;;) {
    if (cursor.takes('"')) return { kind: "template", place: cursor.placeFrom(start), parts: joined(parts) };
    if (cursor.isAtEnd || cursor.sees("\n")) cursor.fail("this text has no end", start);
    parts.push(cursor.takes("\\") ? readEscape(cursor) : readPart(cursor, read, /[^"\\$%\n]+/y));
  }
}

/** All of a text that has no quotes around it and no escapes. One expression alone keeps its type. */
export function readBare(cursor: Cursor, read: Read): Expression {
  const start = cursor.at;
  const parts: Part[] = [];
  while (!cursor.isAtEnd) parts.push(readPart(cursor, read, /[^$%]+/y));
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && typeof only !== "string") return only;
  return { kind: "template", place: cursor.placeFrom(start), parts: joined(parts) };
}

function readEscape(cursor: Cursor): string {
  const code = cursor.match(/u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y);
  if (code !== undefined) {
    const point = Number.parseInt(code.slice(1), 16);
    if (point > 0x10ffff) cursor.fail("there is no such character", cursor.at - code.length);
    return String.fromCodePoint(point);
  }
  const letter = cursor.match(/[nrt"\\]/y);
  if (letter === undefined) cursor.fail("there is no such escape");
  return escapes[letter] ?? letter;
}

/** What stands as it is, or one interpolation, or one directive. */
function readPart(cursor: Cursor, read: Read, plain: RegExp): Part {
  const start = cursor.at;
  if (cursor.takes("$${")) return "${";
  if (cursor.takes("%%{")) return "%{";
  if (cursor.takes("${")) {
    cursor.takes("~");
    return cursor.deeper(() => read(cursor));
  }
  if (cursor.takes("%{")) {
    if (cursor.match(/[^}]*\}/y) === undefined) cursor.fail("this directive has no end", start);
    return { kind: "other", place: cursor.placeFrom(start), what: "a directive" };
  }
  return cursor.match(plain) ?? cursor.match(/[$%]/y) ?? cursor.fail("this text has no end", start);
}

/** `<<WORD` or `<<-WORD`, lines, and `WORD` in a line of its own. */
export function readHeredoc(cursor: Cursor, read: Read): Expression {
  const start = cursor.at;
  const head = cursor.match(/<<-?[\p{ID_Start}_][\p{ID_Continue}_-]*[ \t\r]*\n/uy);
  if (head === undefined)
    cursor.fail("<< and a word were expected here, and then the end of the line", start);
  const [, dash, word = ""] = /^<<(-?)(\S+)/.exec(head) ?? [];
  const from = cursor.at;
  const end = endOf(cursor, word);
  if (end === undefined) cursor.fail(`this text has no end: a line with ${word} alone`, start);
  const parts: Part[] = [];
  while (cursor.at < end.from) {
    // What is plain ends with its line, so that it never runs over the end of the text.
    parts.push(readPart(cursor, read, /[^$%\n]*\n|[^$%\n]+/y));
  }
  if (cursor.at > end.from) cursor.fail("an expression runs over the end of this text", start);
  cursor.at = end.to;
  const indent = dash === "-" ? indentOf(cursor.content.slice(from, end.from)) : 0;
  const place = cursor.placeFrom(start);
  return { kind: "template", place, parts: outdented(joined(parts), indent) };
}

/** Where the lines of the text end, and where the word behind them does. */
function endOf(cursor: Cursor, word: string): { readonly from: number; readonly to: number } | undefined {
  let line = cursor.at;
  while (line < cursor.content.length) {
    const next = cursor.content.indexOf("\n", line);
    const to = next < 0 ? cursor.content.length : next;
    if (cursor.content.slice(line, to).trim() === word) return { from: line, to };
    line = to + 1;
  }
  return undefined;
}

function indentOf(text: string): number {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.length === 0 ? 0 : Math.min(...lines.map((line) => line.length - line.trimStart().length));
}

function outdented(parts: readonly Part[], indent: number): readonly Part[] {
  if (indent === 0) return parts;
  return parts.map((part, index) => {
    if (typeof part !== "string") return part;
    const inner = part.replaceAll(/\n[ \t]*/g, (blank) => `\n${blank.slice(1 + indent)}`);
    return index === 0 ? inner.slice(Math.min(indent, inner.length - inner.trimStart().length)) : inner;
  });
}

function joined(parts: readonly Part[]): readonly Part[] {
  const result: Part[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (typeof part === "string" && typeof last === "string") result[result.length - 1] = last + part;
    else result.push(part);
  }
  return result;
}
