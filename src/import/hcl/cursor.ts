import type { Place } from "../../diagnostic.ts";
import type { Text } from "../../document/text.ts";
import { Problem } from "../../problem.ts";

/** Deeper nesting is an attack on the stack, not a template. */
const maxDepth = 100;

/**
 * A place in the text of a file that goes forward. Offsets are UTF-16 units from 0. A text that stands in a string of JSON
 * has the place of that string as a whole.
 */
export class Cursor {
  at = 0;
  #depth = 0;
  readonly content: string;
  readonly #path: string;
  readonly #lineStarts: readonly number[];
  readonly #whole: Place | undefined;

  constructor({ path, content }: Text, whole?: Place) {
    this.#path = path;
    this.#whole = whole;
    this.content = content;
    this.#lineStarts = [0, ...[...content.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  get isAtEnd(): boolean {
    return this.at >= this.content.length;
  }

  /** Whether the text goes on with this. */
  sees(text: string): boolean {
    return this.content.startsWith(text, this.at);
  }

  /** Goes over a text if it is next. */
  takes(text: string): boolean {
    const isNext = this.sees(text);
    if (isNext) this.at += text.length;
    return isNext;
  }

  /** Goes over what a sticky pattern matches, and gives it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.content) ?? [];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  expect(text: string): void {
    if (!this.takes(text)) this.fail(`"${text}" was expected here`);
  }

  /** Over blanks and comments; over the ends of lines too where they mean nothing. */
  skip(what: "blanks" | "lines"): void {
    this.match(
      what === "lines"
        ? /(?:[ \t\r\n\uFEFF]+|#[^\n]*|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*/y
        : /(?:[ \t\r\uFEFF]+|\/\*[\s\S]*?\*\/)*(?:(?:#|\/\/)[^\n]*)?/y,
    );
  }

  /** Runs what may nest. */
  deeper<Result>(read: () => Result): Result {
    this.#depth += 1;
    if (this.#depth > maxDepth) this.fail("the template is nested too deeply");
    const result = read();
    this.#depth -= 1;
    return result;
  }

  placeFrom(start: number, end: number = this.at): Place {
    if (this.#whole) return this.#whole;
    const [from, to] = [this.#pointOf(start), this.#pointOf(Math.max(start, end))];
    return {
      path: this.#path,
      line: from.line,
      column: from.column,
      endLine: to.line,
      endColumn: to.column,
    };
  }

  /** Throws `spec-invalid` for what is at `start`. */
  fail(message: string, start: number = this.at): never {
    const end = Math.min(this.content.length, start + 1);
    throw new Problem("spec-invalid", `"${this.#path}" is no template in HCL2`, {
      diagnostics: [
        { code: "template-invalid", severity: "error", message, place: this.placeFrom(start, end) },
      ],
      hint: "packer validate tells more",
    });
  }

  #pointOf(offset: number): { readonly line: number; readonly column: number } {
    let [low, high] = [0, this.#lineStarts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (this.#lineStarts[low] ?? 0) + 1 };
  }
}
