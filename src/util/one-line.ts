/** A text for one line of a terminal: blanks made one space, what would steer the terminal or turn the text round as its code. */
export function toOneLine(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
