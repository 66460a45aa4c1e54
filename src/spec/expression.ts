// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import type { PlainValue } from "../document/node.ts";

/** A text with expressions in it, cut into what stands as it is and what is to be evaluated. */
export type Piece =
  | { readonly kind: "text"; readonly text: string }
  /** `start`: where the `${{` stands in the text, UTF-16 units; `inner`: where the CEL begins. */
  | {
      readonly kind: "expression";
      readonly cel: string;
      readonly start: number;
      readonly inner: number;
      readonly end: number;
    }
  /** A `${{` without its `}}`. */
  | { readonly kind: "unclosed"; readonly start: number };

/** Cuts a text at its `${{ … }}`. Braces and quotes inside of an expression are CEL's own. */
export function toPieces(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  while (at < text.length) {
    const start = text.indexOf("${{", at);
    if (start < 0) break;
    if (start > at) pieces.push({ kind: "text", text: text.slice(at, start) });
    const close = closeOf(text, start + 3);
    if (close === undefined) return [...pieces, { kind: "unclosed", start }];
    pieces.push({ kind: "expression", ...trimmed(text, start + 3, close), start, end: close + 2 });
    at = close + 2;
  }
  if (at < text.length) pieces.push({ kind: "text", text: text.slice(at) });
  return pieces;
}

/** The text so that it reads back as it is: the `${{` in it came out of an expression and begins none. */
export function toLiteral(text: string): string {
  return text.replaceAll("${{", () => "${{ '${{' }}");
}

/** What a text with a secret in it is, but for the secret: that stays the expression that gives it. */
export function toWritten(
  text: string,
  pieces: readonly Piece[],
  values: readonly { readonly value: PlainValue; readonly sensitive: boolean }[],
): string {
  return pieces
    .map((piece, index) => {
      const one = values[index];
      return piece.kind === "expression" && one?.sensitive
        ? text.slice(piece.start, piece.end)
        : toLiteral(String(one?.value));
    })
    .join("");
}

function trimmed(text: string, from: number, to: number): { cel: string; inner: number } {
  const content = text.slice(from, to);
  const cel = content.trim();
  return { cel, inner: from + content.indexOf(cel) };
}

/** The index of the `}}` that ends the expression which begins at `from`. */
function closeOf(text: string, from: number): number | undefined {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const character = text[at];
    if (character === '"' || character === "'") {
      at = endOfString(text, at);
      continue;
    }
    if (character === "}" && depth === 0) return text[at + 1] === "}" ? at : undefined;
    if (character === "{") depth += 1;
    if (character === "}") depth -= 1;
    at += 1;
  }
  return undefined;
}

function endOfString(text: string, from: number): number {
  const one = text.charAt(from);
  const quote = text.startsWith(one.repeat(3), from) ? one.repeat(3) : one;
  const isRaw = /(?:^|[^\w])[bB]?[rR][bB]?$/.test(text.slice(Math.max(0, from - 3), from));
  let at = from + quote.length;
  while (at < text.length) {
    if (text[at] === "\\" && !isRaw) at += 2;
    else if (text.startsWith(quote, at)) return at + quote.length;
    else at += 1;
  }
  return text.length;
}
