import type { Cursor } from "./cursor.ts";
import type { Expression, ObjectEntry } from "./syntax.ts";
import { readBare, readHeredoc, readQuoted } from "./template.ts";

/** Reads one expression. Ends of lines end it, but in brackets. */
export function readExpression(cursor: Cursor, inBrackets = false): Expression {
  return cursor.deeper(() => {
    const start = cursor.at;
    const condition = readOperation(cursor, inBrackets, 0);
    skip(cursor, inBrackets);
    if (!cursor.takes("?")) return condition;
    cursor.skip("lines");
    const yes = readExpression(cursor, inBrackets);
    cursor.skip("lines");
    cursor.expect(":");
    cursor.skip("lines");
    const no = readExpression(cursor, inBrackets);
    return { kind: "operation", place: cursor.placeFrom(start), sign: "?", of: [condition, yes, no] };
  });
}

/** The text of a string of JSON, which may hold `${ … }`. */
export function readText(cursor: Cursor): Expression {
  return readBare(cursor, readInterpolation);
}

function skip(cursor: Cursor, inBrackets: boolean): void {
  cursor.skip(inBrackets ? "lines" : "blanks");
}

/** By rising precedence. */
const operators: readonly RegExp[] = [
  /\|\|/y,
  /&&/y,
  /==|!=/y,
  /<=|>=|<(?!<)|>/y,
  /[+-]/y,
  /[*%]|\/(?![/*])/y,
];

function readOperation(cursor: Cursor, inBrackets: boolean, level: number): Expression {
  const operator = operators[level];
  if (!operator) return readUnary(cursor, inBrackets);
  const start = cursor.at;
  let left = readOperation(cursor, inBrackets, level + 1);
  for (;;) {
    const end = cursor.at;
    skip(cursor, inBrackets);
    const sign = cursor.match(operator);
    if (sign === undefined) {
      cursor.at = end;
      return left;
    }
    cursor.skip("lines");
    const right = readOperation(cursor, inBrackets, level + 1);
    left = { kind: "operation", place: cursor.placeFrom(start), sign, of: [left, right] };
  }
}

function readUnary(cursor: Cursor, inBrackets: boolean): Expression {
  const start = cursor.at;
  const sign = cursor.match(/!(?!=)|-/y);
  if (sign === undefined) return readPostfix(cursor, inBrackets);
  skip(cursor, inBrackets);
  const of = [cursor.deeper(() => readUnary(cursor, inBrackets))];
  return { kind: "operation", place: cursor.placeFrom(start), sign, of };
}

function readPostfix(cursor: Cursor, inBrackets: boolean): Expression {
  const start = cursor.at;
  let value = readPrimary(cursor);
  for (;;) {
    const end = cursor.at;
    // A traversal may go on in the next line where lines do not count.
    skip(cursor, inBrackets);
    if (cursor.takes(".")) value = readMember(cursor, start, value);
    else if (cursor.takes("[")) value = readIndex(cursor, start, value);
    else {
      cursor.at = end;
      return value;
    }
  }
}

function readMember(cursor: Cursor, start: number, of: Expression): Expression {
  if (cursor.takes("*")) return { kind: "other", place: cursor.placeFrom(start), what: "a splat" };
  const index = cursor.match(/\d+/y);
  const place = (): Expression["place"] => cursor.placeFrom(start);
  if (index !== undefined) {
    const key: Expression = { kind: "literal", place: place(), value: Number(index) };
    return { kind: "index", place: place(), of, key };
  }
  const name = cursor.match(/[\p{ID_Start}_][\p{ID_Continue}_-]*/uy);
  if (name === undefined) cursor.fail("a name was expected behind the dot");
  return { kind: "member", place: place(), of, name };
}

function readIndex(cursor: Cursor, start: number, of: Expression): Expression {
  cursor.skip("lines");
  if (cursor.takes("*")) {
    cursor.skip("lines");
    cursor.expect("]");
    return { kind: "other", place: cursor.placeFrom(start), what: "a splat" };
  }
  const key = readExpression(cursor, true);
  cursor.skip("lines");
  cursor.expect("]");
  return { kind: "index", place: cursor.placeFrom(start), of, key };
}

function readPrimary(cursor: Cursor): Expression {
  const start = cursor.at;
  if (cursor.sees('"')) return readQuoted(cursor, readInterpolation);
  if (cursor.sees("<<")) return readHeredoc(cursor, readInterpolation);
  if (cursor.takes("[")) return readList(cursor, start);
  if (cursor.takes("{")) return readObject(cursor, start);
  if (cursor.takes("(")) return readGroup(cursor);
  const number = cursor.match(/\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y);
  if (number !== undefined) return { kind: "literal", place: cursor.placeFrom(start), value: Number(number) };
  const name = cursor.match(
    /[\p{ID_Start}_][\p{ID_Continue}_-]*(?:::[\p{ID_Start}_][\p{ID_Continue}_-]*)*/uy,
  );
  if (name === undefined) cursor.fail("a value was expected here");
  const place = cursor.placeFrom(start);
  if (Object.hasOwn(words, name)) return { kind: "literal", place, value: words[name] ?? null };
  if (cursor.takes("(")) return readCall(cursor, start, name);
  return { kind: "name", place, name };
}

const words: Readonly<Record<string, null | boolean>> = { true: true, false: false, null: null };

function readGroup(cursor: Cursor): Expression {
  cursor.skip("lines");
  const inner = readExpression(cursor, true);
  cursor.skip("lines");
  cursor.expect(")");
  return inner;
}

/** What is between `${` and `}`. */
function readInterpolation(cursor: Cursor): Expression {
  cursor.skip("lines");
  const inner = readExpression(cursor, true);
  cursor.skip("lines");
  cursor.takes("~");
  cursor.expect("}");
  return inner;
}

function readCall(cursor: Cursor, start: number, name: string): Expression {
  const given = readItems(cursor, ")");
  return { kind: "call", place: cursor.placeFrom(start), name, given };
}

function readItems(cursor: Cursor, end: string): readonly Expression[] {
  const items: Expression[] = [];
  for (;;) {
    cursor.skip("lines");
    if (cursor.takes(end)) return items;
    items.push(readExpression(cursor, true));
    cursor.skip("lines");
    // A list may be handed over as the last arguments of a function.
    cursor.takes("...");
    cursor.skip("lines");
    if (!cursor.takes(",") && !cursor.sees(end)) cursor.fail(`"," or "${end}" was expected here`);
  }
}

function readList(cursor: Cursor, start: number): Expression {
  cursor.skip("lines");
  if (cursor.match(/for\b/y) !== undefined) return readFor(cursor, start);
  const items = readItems(cursor, "]");
  return { kind: "list", place: cursor.placeFrom(start), items };
}

function readObject(cursor: Cursor, start: number): Expression {
  const entries: ObjectEntry[] = [];
  for (;;) {
    cursor.skip("lines");
    if (cursor.takes("}")) return { kind: "object", place: cursor.placeFrom(start), entries };
    if (entries.length === 0 && cursor.match(/for\s/y) !== undefined) return readFor(cursor, start);
    const key = readExpression(cursor);
    cursor.skip("blanks");
    if (!cursor.takes("=") && !cursor.takes(":")) cursor.fail('"=" or ":" was expected here');
    cursor.skip("lines");
    const value = readExpression(cursor);
    cursor.skip("blanks");
    entries.push({ key, value });
    if (!cursor.takes(",") && !cursor.sees("\n") && !cursor.sees("}"))
      cursor.fail('the end of the line, "," or "}" was expected here');
  }
}

/** A `for` is only gone over: up to the bracket that ends it. */
function readFor(cursor: Cursor, start: number): Expression {
  let open = 1;
  while (open > 0) {
    cursor.skip("lines");
    if (cursor.isAtEnd) cursor.fail("this for has no end", start);
    if (cursor.sees('"')) readQuoted(cursor, readInterpolation);
    else {
      const character = cursor.content[cursor.at] ?? "";
      cursor.at += 1;
      if ("[{(".includes(character)) open += 1;
      if ("]})".includes(character)) open -= 1;
    }
  }
  return { kind: "other", place: cursor.placeFrom(start), what: "a for expression" };
}
