import type { Diagnostic, Place } from "../diagnostic.ts";
import { merge } from "../document/merge.ts";
import type {
  Entry,
  ListNode,
  MapNode,
  Node,
  Path,
  PlainValue,
  Scalar,
  ScalarNode,
} from "../document/node.ts";
import type { DiagnosticCode } from "./diagnostics.ts";
import { type Piece, toPieces, toWritten } from "./expression.ts";
import { diagnosticAt } from "./finding.ts";
import { placeWithin } from "./place-within.ts";
import { type Shared, type SharedValues, variesBy } from "./shared-values.ts";
import type { Value } from "./variable-value.ts";

/** What expressions may name: texts, or groups of named values. */
export type Scope = Readonly<Record<string, string | ReadonlyMap<string, Named | null>>>;

/** What a name in a group may stand for; a date is CEL's timestamp. */
export type Named = Value | Date;

export type Evaluation =
  | {
      readonly kind: "value";
      readonly value: PlainValue;
      readonly sensitive: boolean;
      /** Of `variesBy`. */
      readonly varies: number;
    }
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

function isExpression(value: Scalar): boolean {
  return typeof value === "string" && value.includes("${{");
}

export function hasExpressions(node: Node): boolean {
  if (node.kind === "scalar") return isExpression(node.value);
  if (node.kind === "list") return node.items.some(hasExpressions);
  return node.under !== undefined || [...node.entries.values()].some((entry) => hasExpressions(entry.node));
}

/**
 * Replaces every `${{ … }}` below a node. It works on values and never on YAML text, so no value can change the
 * shape of the document. `toSecretName` names the secret for a path where one may stand, else gives `undefined`.
 */
export function evaluate(
  root: Node,
  evaluator: Evaluator,
  toSecretName: (path: Path) => string | undefined,
  shared: SharedValues,
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

  /** Of the node that is evaluated, as far as it is. */
  let varies: number = variesBy.nothing;

  /** The node itself where there is nothing to evaluate in it. */
  function toNode(node: Node): Node {
    if (node.kind === "scalar" ? !isExpression(node.value) : plain.has(node)) return node;
    const known = shared.find(node) ?? toKnown(node);
    varies |= known.varies;
    return known.node;
  }

  function toKnown(node: Node): Shared {
    const around = varies;
    varies = variesBy.nothing;
    const inner = toParts(node);
    const evaluated = { node: inner, varies };
    varies = around;
    if (evaluated.node !== node) shared.keep(node, evaluated);
    else if (node.kind !== "scalar") plain.add(node);
    return evaluated;
  }

  function toParts(node: Node): Node {
    if (node.kind === "list") return toItems(node);
    if (node.kind === "map") return node.under ? toMerged(node, node.under) : toEntries(node);
    return toEvaluated(node, String(node.value));
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

  /** What is no map is replaced, as where it is written so. */
  function toMerged({ under: _, ...map }: MapNode, under: ScalarNode): Node {
    const below = toNode(under);
    const above = toEntries(map);
    if (below.kind === "scalar" && below.broken) return below;
    return below.kind === "map" ? merge(below, above) : above;
  }

  function toEvaluated(node: ScalarNode, text: string): Node {
    const pieces = toPieces(text);
    const evaluations = pieces.map((piece): Evaluation => {
      if (piece.kind === "text")
        return { kind: "value", value: piece.text, sensitive: false, varies: variesBy.nothing };
      const evaluation = evaluatePiece(piece, node.place.path, pieces.length > 1);
      if (evaluation.kind === "fault" && diagnostics.length < maxTold) {
        diagnostics.push(diagnosticAt(placeWithin(node, text, piece.start, evaluation), evaluation));
      }
      return evaluation;
    });
    // What is told or has a name of its own in each image is not shared.
    for (const one of evaluations)
      varies |= one.kind === "value" && !one.sensitive ? one.varies : variesBy.image;
    const values = evaluations.flatMap((evaluation) => (evaluation.kind === "value" ? [evaluation] : []));
    const [only] = values;
    if (!only || values.length < evaluations.length) return { ...node, broken: true };
    const value = values.length === 1 ? only.value : values.map((one) => String(one.value)).join("");
    if (!values.some(({ sensitive }) => sensitive)) return plainNode(value, node.place);
    return toSecret(node, value, toWritten(text, pieces, values));
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

  function toSecret(node: ScalarNode, value: PlainValue, written: string): Node {
    const name = toSecretName([...path]);
    if (name === undefined) {
      diagnostics.push(
        diagnosticAt(node.place, {
          code: "secret-misplaced",
          message: "a sensitive variable cannot be used here, where its value would be seen",
          hint: "use it in the env of a shell or local step, in the secrets of a program, in the extraVars of ansible, where a plugin says sensitive, or as a password in connect",
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
    return { kind: "scalar", place: node.place, value: "", secret: { name, written } };
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
