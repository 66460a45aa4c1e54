import { Composer, type CST, type Document, Lexer, type LineCounter, Parser } from "yaml";

/** What the YAML parser makes of a file: its first document, and whether others follow. */
export type Yaml = {
  readonly first: Document.Parsed;
  /** Offset of the second document, where there is one. */
  readonly secondAt: number | undefined;
};

/** Thrown before the recursive part of the parser begins: deep recursion can end the whole process. */
export class NestedTooDeeply extends Error {
  readonly offset: number;

  constructor(offset: number) {
    super("nested too deeply");
    this.offset = offset;
  }
}

/** Open collections at once, counted with the parser's own bookkeeping; a spec needs a dozen. */
const maxOpen = 200;

/** Parses YAML 1.2 text and notes its lines. Throws `NestedTooDeeply`; other mistakes are in the document. */
export function toYaml(content: string, lines: LineCounter): Yaml {
  const parser = new Parser(lines.addNewLine);
  // Doubled keys are looked for later: the parser's own search takes time quadratic in the number of keys.
  const composer = new Composer({ uniqueKeys: false, prettyErrors: false });
  const documents: Document.Parsed[] = [];
  for (const document of composer.compose(toTokens(content, parser, lines), true, content.length)) {
    documents.push(document);
    if (documents.length === 2) break;
  }
  const [first, second] = documents;
  if (!first) throw new Error("the parser gives at least one document when it is asked to");
  return { first, secondAt: second?.range[0] };
}

function* toTokens(content: string, parser: Parser, lines: LineCounter): Generator<CST.Token, void> {
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(content)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > maxOpen) throw new NestedTooDeeply(parser.offset);
  }
  yield* parser.end();
}
