import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Entry, ListNode, MapNode, Node, Path, PlainValue, ScalarNode } from "../document/node.ts";
import type { DiagnosticCode } from "./diagnostics.ts";
import { type Piece, toPieces } from "./expression.ts";
import { diagnosticAt } from "./finding.ts";
import type { Value } from "./variable-value.ts";

/** What expressions may name: texts, or groups of named values. */
export type Scope = Readonly<Record<string, string | ReadonlyMap<string, Named | null>>>;

/** What a name in a group may stand for; a date is CEL's timestamp. */
export type Named = Value | Date;

export type Evaluation =
  | { readonly kind: "value"; readonly value: PlainValue; readonly sensitive: boolean }
  /** It depends on something that is told to be missing already. */
  | { readonly kind: "unknown" }
  /** `start` and `end` count from the beginning of the CEL. */
  | {
      readonly kind: "fault";
      readonly code: DiagnosticCode;
      readonly message: string;
      readonly hint?: string | undefined;
      readonly start: number;
      readonly end: number;
    };

/** Names that are special in expressions. */
export type Marks = {
  readonly sensitive: ReadonlySet<string>;
  /** Declared and listed names without a value, which is told elsewhere. */
  readonly unsetVariables: ReadonlySet<string>;
  readonly unsetEnvironment: ReadonlySet<string>;
};

/** `path`: the file that the expression is written in. */
export type Evaluator = (cel: string, path: string) => Evaluation;

export type Evaluated = {
  readonly node: Node;
  readonly diagnostics: readonly Diagnostic[];
  /** Values that came from sensitive variables, by the name in their node. */
  readonly secrets: ReadonlyMap<string, string>;
};

/** Lists and maps without expressions: regions share most of what they are made of. */
const plain = new WeakSet<Node>();

/** Of mistakes in expressions; nobody reads more at once. */
const maxTold = 100;

export function hasExpressions(node: Node): boolean {
  if (node.kind === "scalar") return typeof node.value === "string" && node.value.includes("${{");
  if (node.kind === "list") return node.items.some(hasExpressions);
  return [...node.entries.values()].some((entry) => hasExpressions(entry.node));
}

/**
 * Replaces every `${{ … }}` below a node. It works on values and never on YAML text, so no value can change the
 * shape of the document. `toSecretName` names the secret for a path where one may stand, else gives `undefined`.
 */
export function evaluate(
  root: Node,
  evaluator: Evaluator,
  toSecretName: (path: Path) => string | undefined,
): Evaluated {
  const diagnostics: Diagnostic[] = [];
  const secrets = new Map<string, string>();

  // One list for all paths: a family of specs has a hundred thousand, and few of them are asked for.
  const path: (string | number)[] = [];

  function toInner(node: Node, step: string | number): Node {
    path.push(step);
    const inner = toNode(node);
    path.pop();
    return inner;
  }

  /** The node itself where there is nothing to evaluate in it. */
  function toNode(node: Node): Node {
    if (plain.has(node)) return node;
    const evaluated = toParts(node);
    if (evaluated === node && node.kind !== "scalar") plain.add(node);
    return evaluated;
  }

  function toParts(node: Node): Node {
    if (node.kind === "list") return toItems(node);
    if (node.kind === "map") return toEntries(node);
    if (typeof node.value !== "string" || !node.value.includes("${{")) return node;
    return toEvaluated(node, node.value);
  }

  function toItems(list: ListNode): ListNode {
    const items = list.items.map(toInner);
    return items.every((item, index) => item === list.items[index]) ? list : { ...list, items };
  }

  function toEntries(map: MapNode): MapNode {
    const changed: [string, Entry][] = [];
    for (const [key, entry] of map.entries) {
      const inner = toInner(entry.node, key);
      if (inner !== entry.node) changed.push([key, { ...entry, node: inner }]);
    }
    return changed.length === 0 ? map : { ...map, entries: new Map([...map.entries, ...changed]) };
  }

  function toEvaluated(node: ScalarNode, text: string): Node {
    const pieces = toPieces(text);
    const evaluations = pieces.map((piece): Evaluation => {
      if (piece.kind === "text") return { kind: "value", value: piece.text, sensitive: false };
      const evaluation = evaluatePiece(piece, node.place.path, pieces.length > 1);
      if (evaluation.kind === "fault" && diagnostics.length < maxTold) {
        diagnostics.push(diagnosticAt(placeWithin(node, text, piece.start, evaluation), evaluation));
      }
      return evaluation;
    });
    const values = evaluations.flatMap((evaluation) => (evaluation.kind === "value" ? [evaluation] : []));
    const [only] = values;
    if (!only || values.length < evaluations.length) return { ...node, broken: true };
    const value = values.length === 1 ? only.value : values.map((one) => String(one.value)).join("");
    return values.some(({ sensitive }) => sensitive) ? toSecret(node, value) : plainNode(value, node.place);
  }

  /** The same with places counted from the piece's `${{`. */
  function evaluatePiece(piece: Exclude<Piece, { kind: "text" }>, path: string, isPart: boolean): Evaluation {
    if (piece.kind === "unclosed") {
      return {
        kind: "fault",
        code: "expression-invalid",
        message: '"{{" has no "}}" that ends it',
        start: 0,
        end: 3,
      };
    }
    const evaluation = evaluator(piece.cel, path);
    const offset = piece.inner - piece.start;
    if (evaluation.kind === "fault") {
      return { ...evaluation, start: evaluation.start + offset, end: evaluation.end + offset };
    }
    if (
      evaluation.kind === "unknown" ||
      !isPart ||
      (typeof evaluation.value !== "object" && evaluation.value !== null)
    )
      return evaluation;
    const what =
      evaluation.value === null ? "nothing (null)" : Array.isArray(evaluation.value) ? "a list" : "a map";
    const message = `this is ${what}, which cannot be a part of a text`;
    return {
      kind: "fault",
      code: "expression-wrong-type",
      message,
      start: offset,
      end: offset + piece.cel.length,
    };
  }

  function toSecret(node: ScalarNode, value: PlainValue): Node {
    const name = toSecretName([...path]);
    if (name === undefined) {
      diagnostics.push(
        diagnosticAt(node.place, {
          code: "secret-misplaced",
          message: "a sensitive variable cannot be used here, where its value would be seen",
          hint: "use it in the env of a shell or local step, in the secrets of a program, or as a password in connect",
        }),
      );
      return { ...node, broken: true };
    }
    if (typeof value === "object" && value !== null) {
      const kind = Array.isArray(value) ? "a list" : "a map";
      const message = `this is ${kind}, and a text is needed`;
      const hint = "name one of its values, as in vars.database.password";
      diagnostics.push(diagnosticAt(node.place, { code: "expression-wrong-type", message, hint }));
      return { ...node, broken: true };
    }
    secrets.set(name, String(value));
    return { kind: "scalar", place: node.place, value: "", secret: { name, written: String(node.value) } };
  }

  return { node: toNode(root), diagnostics, secrets };
}

function plainNode(value: PlainValue, place: Place): Node {
  if (Array.isArray(value))
    return { kind: "list", place, items: value.map((item) => plainNode(item, place)) };
  if (typeof value !== "object" || value === null) return { kind: "scalar", place, value };
  const entries = Object.entries(value).map(([key, inner]): [string, Entry] => [
    key,
    { keyPlace: place, node: plainNode(inner, place) },
  ]);
  return { kind: "map", place, entries: new Map(entries) };
}

/**
 * The place of a stretch of the expression that begins at `at` in a scalar's text. Where the file has the expression in
 * other characters (escapes, folded lines), the place of the whole scalar.
 */
function placeWithin(
  node: ScalarNode,
  text: string,
  at: number,
  { start, end }: { start: number; end: number },
): Place {
  const { raw = "", place } = node;
  const before = text.slice(0, at).split("${{").length - 1;
  const inRaw = raw.split("${{", before + 1).join("${{").length;
  if (raw.slice(inRaw, inRaw + end) !== text.slice(at, at + end)) return place;
  const from = advance(place, raw, inRaw + start);
  const to = advance(place, raw, inRaw + end);
  return { path: place.path, ...from, endLine: to.line, endColumn: to.column };
}

function advance(place: Place, raw: string, length: number): { line: number; column: number } {
  const lines = raw.slice(0, length).split("\n");
  const last = lines.at(-1) ?? "";
  const line = place.line + lines.length - 1;
  return { line, column: lines.length === 1 ? place.column + last.length : last.length + 1 };
}
