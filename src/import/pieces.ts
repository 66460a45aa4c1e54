/** A text in which some stretches are CEL. */
export type Piece = { readonly text: string } | { readonly cel: string };

/** As it is written in a spec. */
export function toSpecText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => ("text" in piece ? piece.text : `\${{ ${piece.cel} }}`)).join("");
}

/** A string literal of CEL. */
export function quoteCel(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `'${escaped}'`;
}

/** A name that a variable of a spec may have. */
export function toVariableName(name: string): string {
  const word = name.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^__+/, "_");
  return /^[0-9]/.test(word) || word === "" ? `_${word}` : word;
}
