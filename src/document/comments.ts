import type { CST } from "yaml";

type Collection = CST.BlockMap | CST.BlockSequence;
type Item = { start: CST.SourceToken[]; key?: unknown; sep?: unknown; value?: unknown };

/**
 * Gives comments that stand between two keys to the one whose column they have: what follows a comment at the end of a
 * section, the parser takes for a part of that section, wherever it begins.
 */
export function placeComments(token: CST.Token): void {
  if (token.type !== "document" || !token.value) return;
  const left = isCollection(token.value) ? takeForeign(token.value) : [];
  if (left.length > 0) token.end = [...left, ...(token.end ?? [])];
}

/** What stands at the end of a collection and belongs to what is around it, taken out of it. */
function takeForeign(collection: Collection): CST.SourceToken[] {
  const items = collection.items as Item[];
  for (const [index, item] of [...items.entries()].reverse()) {
    if (!isCollection(item.value)) continue;
    const left = takeForeign(item.value);
    if (left.length === 0) continue;
    const next = items[index + 1];
    if (next) next.start = [...left, ...next.start];
    else items.push({ start: left });
  }
  const last = items.at(-1);
  if (!last || last.key !== undefined || last.sep || last.value) return [];
  const foreign = last.start.findIndex(
    ({ type, indent }) => type === "comment" && indent < collection.indent,
  );
  if (foreign < 0) return [];
  // The blank lines before it go with it, the end of the line before them does not.
  const kept = last.start.slice(0, foreign).findLastIndex(({ type }) => type === "comment");
  const left = last.start.splice(kept < 0 ? 0 : kept + 2);
  if (last.start.length === 0) items.pop();
  return left;
}

function isCollection(token: unknown): token is Collection {
  const { type } = (token ?? {}) as { type?: string };
  return type === "block-map" || type === "block-seq";
}
