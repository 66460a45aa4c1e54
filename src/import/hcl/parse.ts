import type { Text } from "../../document/text.ts";
import { Cursor } from "./cursor.ts";
import { readExpression } from "./expression.ts";
import type { Attribute, Block, Body } from "./syntax.ts";

/** A word of HCL; dashes may stand inside. */
const identifier = /[\p{ID_Start}_][\p{ID_Continue}_-]*/uy;

/**
 * Parses HCL2's native syntax (https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md).
 * Throws `spec-invalid` with the place of the first mistake.
 */
export function parseHcl(text: Text): Body {
  return readBody(new Cursor(text), () => false);
}

function readBody(cursor: Cursor, isEnd: () => boolean): Body {
  const attributes: Attribute[] = [];
  const blocks: Block[] = [];
  for (;;) {
    cursor.skip("lines");
    if (cursor.isAtEnd || isEnd()) return { attributes, blocks };
    const start = cursor.at;
    const name = cursor.match(identifier);
    if (name === undefined) cursor.fail("the name of an attribute or a block was expected here");
    const place = cursor.placeFrom(start);
    cursor.skip("blanks");
    if (cursor.sees("=") && !cursor.sees("==")) {
      cursor.takes("=");
      cursor.skip("blanks");
      attributes.push({ name, place, value: readExpression(cursor) });
    } else blocks.push(readBlock(cursor, name, start));
    endLine(cursor);
  }
}

/** One attribute or block a line; in `{ a = 1 }` the brace ends it. */
function endLine(cursor: Cursor): void {
  cursor.skip("blanks");
  if (!cursor.isAtEnd && !cursor.takes("\n") && !cursor.sees("}")) cursor.fail("the line should end here");
}

function readBlock(cursor: Cursor, type: string, start: number): Block {
  const labels: string[] = [];
  while (!cursor.sees("{")) {
    const quoted = cursor.match(/"(?:[^"\\\n]|\\.)*"/y);
    const label = quoted?.slice(1, -1) ?? cursor.match(identifier);
    if (label === undefined) cursor.fail('"=" or "{" was expected here');
    labels.push(label);
    cursor.skip("blanks");
  }
  const place = cursor.placeFrom(start, Math.max(start, cursor.at - 1));
  cursor.expect("{");
  const body = cursor.deeper(() => readBody(cursor, () => cursor.sees("}")));
  cursor.expect("}");
  return { type, labels, place, body };
}
