import { isDeepStrictEqual } from "node:util";
import { Composer, isMap, isScalar, Lexer, Parser } from "yaml";
import type { Diagnostic } from "../diagnostic.ts";
import { placeComments } from "./comments.ts";
import { toDocument } from "./document.ts";
import {
  closeGaps,
  isCollection,
  joinBehind,
  markBehind,
  sortKeys,
  toBlockIfLong,
  toTags,
} from "./layout.ts";
import { type Path, type PlainValue, toValue } from "./node.ts";
import type { Text } from "./text.ts";

/** The keys of the map at a path, in the order in which they should stand; `*`: all others. */
export type KeysAt = (path: Path) => readonly string[];

/** `content` is absent where the text is no YAML; what is wrong is then in `diagnostics`. */
export type Formatted = { readonly content: string | undefined; readonly diagnostics: readonly Diagnostic[] };

/**
 * A YAML file in its canonical form: keys in their order, two columns a level, `\n` at the end of lines; comments, blank
 * lines, quotes, anchors and the choice between brackets and lines kept. It stands for the same values.
 */
export function format(text: Text, keysAt: KeysAt): Formatted {
  const content = text.content.replaceAll("\r\n", "\n");
  const { root, diagnostics } = toDocument({ ...text, content });
  if (!root) return { content: undefined, diagnostics };
  const means: Meaning = { value: toValue(root), comments: commentsOf(content) };
  // Keys that are put in order can part an alias from its anchor; then they stay where they are.
  for (const order of [keysAt, () => []]) {
    const formatted = settled(content, order);
    if (formatted !== undefined && isDeepStrictEqual(meaningOf({ ...text, content: formatted }), means))
      return { content: formatted, diagnostics };
  }
  return { content, diagnostics };
}

/** More than any file is known to take. */
const maxRounds = 8;

/** The library moves some blank lines and comments only when it sees its own output. */
function settled(content: string, keysAt: KeysAt): string | undefined {
  let before = content;
  for (let round = 0; round < maxRounds; round += 1) {
    const after = laidOut(before, keysAt);
    if (after === before) return after;
    before = after;
  }
  return undefined;
}

/** What must be the same before and after; the order of keys is not in it. */
type Meaning = { readonly value: PlainValue | undefined; readonly comments: readonly string[] };

function meaningOf(text: Text): Meaning {
  const { root } = toDocument(text);
  return { value: root && toValue(root), comments: commentsOf(text.content) };
}

function commentsOf(content: string): readonly string[] {
  const comments: string[] = [];
  let before = "";
  for (const lexeme of new Lexer().lex(content)) {
    // A lexeme of one control character says that a scalar follows.
    if (lexeme.startsWith("#") && before !== "\x1f") comments.push(lexeme.trim());
    before = lexeme;
  }
  return comments.sort();
}

function laidOut(content: string, keysAt: KeysAt): string {
  const tokens = [...new Parser().parse(content)];
  for (const token of tokens) placeComments(token);
  const composer = new Composer({ schema: "failsafe", customTags: toTags(content), uniqueKeys: false });
  const [document] = composer.compose(tokens, true, content.length);
  if (!document) throw new Error("the parser gives at least one document when it is asked to");
  arrange(document.contents, [], content, keysAt);
  return joinBehind(document.toString({ lineWidth: 0, verifyAliasOrder: false }));
}

function arrange(node: unknown, path: Path, content: string, keysAt: KeysAt): void {
  closeGaps(node);
  if (!isCollection(node)) return;
  toBlockIfLong(node, content);
  if (!isMap(node)) {
    for (const [index, item] of node.items.entries()) arrange(item, [...path, index], content, keysAt);
    return;
  }
  for (const { key, value } of node.items) {
    closeGaps(key);
    if (!isScalar(key)) continue;
    markBehind(key, value, content);
    arrange(value, [...path, String(key.value)], content, keysAt);
  }
  sortKeys(node, keysAt(path), path.length === 0);
}
