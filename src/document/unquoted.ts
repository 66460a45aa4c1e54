/** An expression that YAML took for a map in braces, since nothing quotes it. */
export type Unquoted = { readonly start: number; readonly end: number; readonly value: string };

/** The unquoted expression whose first brace the parser stumbled over at this offset, if that is what it is. */
export function unquotedAt(content: string, offset: number): Unquoted | undefined {
  if (!content.startsWith("${{", offset - 1)) return undefined;
  const lineEnd = content.indexOf("\n", offset);
  const line = content.slice(0, lineEnd === -1 ? undefined : lineEnd);
  const close = line.indexOf("}}", offset);
  if (close === -1) return undefined;
  const before = /[^\s,[{]*$/.exec(content.slice(Math.max(0, offset - 201), offset - 1))?.[0] ?? "";
  const after = /^[^\s,\]}]*/.exec(line.slice(close + 2))?.[0] ?? "";
  const start = offset - 1 - before.length;
  const end = close + 2 + after.length;
  return { start, end, value: content.slice(start, end) };
}
