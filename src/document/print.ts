import { Document, isMap, isScalar, isSeq } from "yaml";
import type { Path, PlainValue } from "./node.ts";

/** A value as a YAML document, with what `commentOf` says of each scalar behind it. */
export function toYamlText(value: PlainValue, commentOf: (path: Path) => string | undefined): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  addComments(document.contents, [], commentOf);
  return document.toString({ lineWidth: 0 });
}

function addComments(node: unknown, path: Path, commentOf: (path: Path) => string | undefined): void {
  if (isScalar(node)) {
    const said = commentOf(path);
    if (said !== undefined) node.comment = ` ${said}`;
  }
  if (isSeq(node))
    for (const [index, item] of node.items.entries()) addComments(item, [...path, index], commentOf);
  if (isMap(node))
    for (const { key, value } of node.items) addComments(value, [...path, String(key)], commentOf);
}
