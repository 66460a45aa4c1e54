import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLMap,
  type Node as YamlNode,
} from "yaml";
import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Entry, Node, Scalar } from "./node.ts";
import type { Text } from "./text.ts";

/** A parsed YAML file: its values and their places. `root` is absent where there is nothing to go on with. */
export type Document = {
  readonly text: Text;
  readonly root: Node | undefined;
  readonly diagnostics: readonly Diagnostic[];
};

/** Aliases count each time they are used: nine lines of them can stand for billions of values. */
const maxNodes = 50_000;
const maxDepth = 100;

/** Parses one YAML 1.2 document. Never throws: what is wrong is in `diagnostics`. */
export function toDocument(text: Text): Document {
  const reader = new Reader(text);
  const root = reader.read();
  return { text, root: reader.diagnostics.length === 0 ? root : undefined, diagnostics: reader.diagnostics };
}

class Reader {
  readonly diagnostics: Diagnostic[] = [];
  readonly #text: Text;
  readonly #lines = new LineCounter();
  #parsed: ReturnType<typeof parseDocument> | undefined;
  #count = 0;

  constructor(text: Text) {
    this.#text = text;
  }

  read(): Node | undefined {
    try {
      // Doubled keys are looked for below: the parser's own search takes time quadratic in the number of keys.
      const parsed = parseDocument(this.#text.content, {
        lineCounter: this.#lines,
        prettyErrors: false,
        uniqueKeys: false,
      });
      this.#parsed = parsed;
      // A tag that nobody resolves is only a warning there, but its value would not be what was meant.
      for (const error of [...parsed.errors, ...parsed.warnings]) {
        const [message = toSentence(error.message), hint] = yamlSayings[error.code] ?? [];
        this.#tell("yaml-invalid", message, error.pos, hint);
      }
      if (this.diagnostics.length > 0) return undefined;
      return this.#toNode(parsed.contents, 0) ?? this.#empty();
    } catch (error) {
      if (error instanceof TooMuch) return undefined;
      if (!(error instanceof RangeError)) throw error;
      this.#tell("yaml-too-complex", "the file is nested too deeply", [0, 1]);
      return undefined;
    }
  }

  #empty(): undefined {
    this.#tell("document-empty", "the file is empty", [0, 0], "write a first spec with: imgspec init");
  }

  #toNode(node: YamlNode | null | undefined, depth: number): Node | undefined {
    if (!node) return undefined;
    this.#count += 1;
    if (this.#count > maxNodes || depth > maxDepth) this.#giveUp(node, depth);
    if (isAlias(node)) return this.#toTarget(node, depth);
    const place = this.#placeOf(node.range);
    if (isMap(node)) return { kind: "map", place, entries: this.#toEntries(node, depth) };
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#toNode(item as YamlNode | null, depth + 1));
      return {
        kind: "list",
        place,
        items: items.map((item) => item ?? { kind: "scalar", place, value: null }),
      };
    }
    return isScalar(node) ? this.#toScalar(node.value, node.range, place) : undefined;
  }

  #toTarget(alias: Alias, depth: number): Node | undefined {
    const target = this.#parsed && alias.resolve(this.#parsed);
    if (target) return this.#toNode(target, depth + 1);
    this.#tell("yaml-invalid", `no anchor &${alias.source} stands before this alias`, alias.range);
    return undefined;
  }

  #toEntries(map: YAMLMap, depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const { key, value } of map.items) {
      const range = (key as YamlNode | null)?.range;
      const keyPlace = this.#placeOf(range);
      const name = isScalar(key) ? this.#sourceOf(range, key.value) : undefined;
      if (name === undefined) {
        this.#tell("yaml-invalid", "a key must be a single word or text", range, "quote it");
      } else if (entries.has(name)) {
        this.#tell("duplicate-key", `the key "${name}" is here twice`, range, "keep one of them");
      } else {
        const node = this.#toNode(value as YamlNode | null, depth + 1);
        entries.set(name, { keyPlace, node: node ?? { kind: "scalar", place: keyPlace, value: null } });
      }
    }
    return entries;
  }

  /** A key such as `1` or `yes` is the text that stands in the file. */
  #sourceOf(range: YamlNode["range"], value: unknown): string {
    if (typeof value === "string" || !range) return String(value);
    return this.#text.content.slice(range[0], range[1]);
  }

  #toScalar(value: unknown, range: YamlNode["range"], place: Place): Node {
    if (typeof value === "string" && value.includes("${{") && range) {
      return { kind: "scalar", place, value, raw: this.#text.content.slice(range[0], range[1]) };
    }
    if (typeof value === "string" || !range) return { kind: "scalar", place, value: value as Scalar };
    return {
      kind: "scalar",
      place,
      value: value as Scalar,
      raw: this.#text.content.slice(range[0], range[1]),
    };
  }

  #giveUp(node: YamlNode, depth: number): never {
    const what = depth > maxDepth ? "is nested too deeply" : "stands for too many values";
    const hint = "use fewer aliases (*name) of aliases, and no alias inside of what it names";
    this.#tell("yaml-too-complex", `the file ${what}`, node.range, hint);
    throw new TooMuch();
  }

  #tell(code: string, message: string, range: readonly number[] | null | undefined, hint?: string): void {
    const place = this.#placeOf(range);
    this.diagnostics.push({
      code,
      severity: "error",
      message,
      ...(hint === undefined ? {} : { hint }),
      place,
    });
  }

  #placeOf(range: readonly number[] | null | undefined): Place {
    const [start = 0, end = start] = range ?? [];
    const from = this.#lines.linePos(start);
    const to = this.#lines.linePos(end);
    // An empty file has no line starts at all, and the counter then answers with zeros.
    return {
      path: this.#text.path,
      line: Math.max(1, from.line),
      column: Math.max(1, from.col),
      endLine: Math.max(1, to.line),
      endColumn: Math.max(1, to.col),
    };
  }
}

class TooMuch extends Error {}

type Saying = readonly [message: string | undefined, hint: string];

/** By the parser's codes: what it says itself, or better words. */
const yamlSayings: Readonly<Record<string, Saying>> = {
  TAB_AS_INDENT: [undefined, "indent with spaces"],
  MULTIPLE_DOCS: [
    "the file has more than one document",
    "a spec is one: write two files, or remove the line with ---",
  ],
  BAD_INDENT: [undefined, "keys of one map begin in the same column, and every bracket is closed"],
  MISSING_CHAR: [
    undefined,
    "a quote or bracket before this place was opened and not closed, or a comma is missing",
  ],
  TAG_RESOLVE_FAILED: [
    "a tag (a word that begins with !) means nothing here",
    "quote the value if it begins with !",
  ],
};

/** The parser ends some messages with a full stop or a list of places of its own. */
function toSentence(message: string): string {
  const [first = message] = message.split("\n");
  return first.slice(0, 1).toLowerCase() + first.slice(1).replace(/[.:]$/, "");
}
