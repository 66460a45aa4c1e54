import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type YAMLMap,
  type Node as YamlNode,
} from "yaml";
import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Entry, Node, Scalar } from "./node.ts";
import type { Text } from "./text.ts";
import { type Unquoted, unquotedAt } from "./unquoted.ts";
import { NestedTooDeeply, toYaml } from "./yaml.ts";

/** A parsed YAML file: its values and their places. `root` is absent where there is nothing to go on with. */
export type Document = {
  readonly text: Text;
  readonly root: Node | undefined;
  readonly diagnostics: readonly Diagnostic[];
};

/** Aliases count each time they are used: nine lines of them can stand for billions of values. */
const maxNodes = 50_000;
const maxDepth = 100;
/** After a slip the parser can find fault with every line that follows. */
const maxErrors = 50;

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
  readonly #anchored = new WeakSet<YamlNode>();
  readonly #anchors = new Map<string, YamlNode>();
  #count = 0;

  constructor(text: Text) {
    this.#text = text;
  }

  read(): Node | undefined {
    try {
      const { first, secondAt } = toYaml(this.#text.content, this.#lines);
      // A tag that nobody resolves is only a warning there, but its value would not be what was meant.
      for (const { code, message, pos } of [...first.errors, ...first.warnings].slice(0, maxErrors)) {
        const unquoted = unquotedAt(this.#text.content, pos[0]);
        if (unquoted) {
          this.#tellUnquoted(unquoted);
          // What the parser says from here on follows from this.
          break;
        }
        const [said = toSentence(message), hint] = yamlSayings[code] ?? [];
        this.#tell("yaml-invalid", said, pos, hint);
      }
      if (secondAt !== undefined) this.#tellSecond(secondAt);
      if (this.diagnostics.length > 0) return undefined;
      const root = this.#toNode(first.contents, 0);
      return root && !(root.kind === "scalar" && root.value === null) ? root : this.#empty();
    } catch (error) {
      if (error instanceof NestedTooDeeply) this.#tellTooDeep([error.offset, error.offset + 1]);
      else if (!(error instanceof TooMuch)) throw error;
      return undefined;
    }
  }

  #tellUnquoted({ start, end, value }: Unquoted): void {
    const hint = `write it as "${value}"`;
    this.#tell("yaml-invalid", "inside of { } and [ ] an expression must be quoted", [start, end], hint);
  }

  #tellSecond(offset: number): void {
    const hint = "a spec is one: write two files, or remove the line with ---";
    this.#tell("yaml-invalid", "the file has more than one document", [offset, offset + 3], hint);
  }

  #tellTooDeep(range: readonly number[] | null | undefined): void {
    const hint = "close every bracket, and name nothing (*name) inside of what it names";
    this.#tell("yaml-too-complex", "the file is nested too deeply", range, hint);
  }

  #empty(): undefined {
    this.#tell("document-empty", "the file is empty", [0, 0], "write a first spec with: imgspec init");
  }

  #toNode(node: YamlNode | null | undefined, depth: number): Node | undefined {
    if (!node) return undefined;
    this.#count += 1;
    if (this.#count > maxNodes || depth > maxDepth) this.#giveUp(node, depth);
    if (isAlias(node)) return this.#toTarget(node, depth);
    this.#anchor(node);
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

  /** The parser's own way to resolve an alias reads the whole document each time. */
  #anchor(node: YamlNode): void {
    const { anchor } = node as { anchor?: string };
    // In the order of the file, so that an alias finds the last anchor before it.
    if (anchor !== undefined && !this.#anchored.has(node)) this.#anchors.set(anchor, node);
    this.#anchored.add(node);
  }

  #toTarget(alias: Alias, depth: number): Node | undefined {
    const target = this.#anchors.get(alias.source);
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
    const hint = "use fewer aliases (*name) of aliases";
    if (depth > maxDepth) this.#tellTooDeep(node.range);
    else this.#tell("yaml-too-complex", "the file stands for too many values", node.range, hint);
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
