import { toPieces } from "../spec/expression.ts";
import { call, type Value, type World } from "./go-functions.ts";
import { type Piece, toSpecText } from "./pieces.ts";

/** The text with what was between `{{` and `}}` as expressions of a spec, or why that cannot be. */
export type Translated = { readonly text: string } | { readonly why: string };

/** Translates the template language of Packer's strings. Expressions of a spec that are there already stay. */
export function fromGoTemplate(source: string, world: World): Translated {
  const parts: Piece[] = [];
  try {
    for (const piece of toPieces(source)) {
      if (piece.kind === "expression") parts.push(noted(piece.cel, world));
      else parts.push(...translate(piece.kind === "text" ? piece.text : source.slice(piece.start), world));
    }
  } catch (error) {
    if (error instanceof Untranslatable) return { why: error.message };
    throw error;
  }
  return { text: toSpecText(parts) };
}

/** An expression that was made before: what it uses is used. */
function noted(cel: string, { used }: World): Piece {
  for (const [, name = ""] of cel.matchAll(/\bvars\.(\w+)/g)) used.variables.add(name);
  for (const [, name = ""] of cel.matchAll(/\benv\.(\w+)/g)) used.environment.add(name);
  return { cel };
}

class Untranslatable extends Error {}

function translate(text: string, world: World): readonly Piece[] {
  const parts: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/\{\{-?((?:`[^`]*`|"(?:[^"\\]|\\.)*"|(?!\}\})[^`"])*?)-?\}\}/g)) {
    parts.push({ text: text.slice(at, match.index) }, evaluate(match[1] ?? "", world));
    at = match.index + match[0].length;
  }
  parts.push({ text: text.slice(at) });
  return parts.filter((part) => !("text" in part) || part.text !== "");
}

/** A pipeline: commands with `|` between them, each given what the one before made as its last argument. */
function evaluate(inner: string, world: World): Value {
  const tokens = inner.match(/`[^`]*`|"(?:[^"\\]|\\.)*"|[|()]|[^\s|()`"]+/g) ?? [];
  let at = 0;
  const pipeline = (): Value => {
    let value: Value | undefined;
    do {
      const words: Value[] = [];
      const name = tokens[at];
      while (at < tokens.length && tokens[at] !== "|" && tokens[at] !== ")")
        words.push(word(words.length === 0));
      if (words.length === 0) throw new Untranslatable("an empty {{ }} says nothing");
      value = command(name ?? "", words, value);
    } while (tokens[at++] === "|");
    at -= 1;
    return value;
  };
  const word = (isFirst: boolean): Value => {
    const token = tokens[at++] ?? "";
    if (token === "(") {
      const value = pipeline();
      at += 1;
      return value;
    }
    if (token.startsWith("`")) return { text: token.slice(1, -1) };
    if (token.startsWith('"')) return { text: toUnquoted(token) };
    if (token.startsWith(".")) return field(token);
    if (/^-?\d+$/.test(token) || isFirst) return { text: token };
    return command(token, [{ text: token }], undefined);
  };
  const field = (token: string): Value => {
    const value = world.fields[token.slice(1)];
    if (!value) throw new Untranslatable(`{{${token}}} is known only to Packer`);
    return value;
  };
  const command = (name: string, words: readonly Value[], piped: Value | undefined): Value => {
    const [first = { text: "" }, ...given] = words;
    if (!/^[A-Za-z_]\w*$/.test(name)) return first;
    const result = call(name, piped ? [...given, piped] : given, world);
    if ("why" in result) throw new Untranslatable(result.why);
    return result;
  };
  return pipeline();
}

function toUnquoted(token: string): string {
  try {
    return JSON.parse(token) as string;
  } catch {
    return token.slice(1, -1);
  }
}
