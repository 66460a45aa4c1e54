import type { Place } from "../diagnostic.ts";
import type { ScalarNode } from "../document/node.ts";

/**
 * The place of a stretch of the expression that begins at `at` in a scalar's text. Where the file has the expression in
 * other characters (escapes, folded lines), the place of the whole scalar.
 */
export function placeWithin(
  node: ScalarNode,
  text: string,
  at: number,
  { start, end }: { start: number; end: number },
): Place {
  const { raw = "", place } = node;
  const before = text.slice(0, at).split("${{").length - 1;
  const inRaw = raw.split("${{", before + 1).join("${{").length;
  if (raw.slice(inRaw, inRaw + end) !== text.slice(at, at + end)) return place;
  const from = advance(place, raw, inRaw + start);
  const to = advance(place, raw, inRaw + end);
  return { path: place.path, ...from, endLine: to.line, endColumn: to.column };
}

function advance(place: Place, raw: string, length: number): { line: number; column: number } {
  const lines = raw.slice(0, length).split("\n");
  const last = lines.at(-1) ?? "";
  const line = place.line + lines.length - 1;
  return { line, column: lines.length === 1 ? place.column + last.length : last.length + 1 };
}
