import type { Place } from "../../diagnostic.ts";
import type { Node, ScalarNode } from "../../document/node.ts";
import { type Piece, quoteCel, toSpecText } from "../pieces.ts";

/** What an expression comes to in a spec. */
export type Lowered =
  | { readonly kind: "text"; readonly pieces: readonly Piece[] }
  | { readonly kind: "plain"; readonly value: null | boolean | number }
  | { readonly kind: "cel"; readonly cel: string; readonly isText: boolean }
  | { readonly kind: "list"; readonly items: readonly Lowered[] }
  | { readonly kind: "map"; readonly entries: readonly (readonly [key: string, value: Lowered])[] }
  /** It has no like there. */
  | { readonly kind: "none"; readonly why: string };

export function textOf(text: string): Lowered {
  return { kind: "text", pieces: [{ text }] };
}

export function celText(cel: string): Lowered {
  return { kind: "cel", cel, isText: true };
}

export function none(why: string): Lowered {
  return { kind: "none", why };
}

/** The text if it is known without the spec. */
export function literalOf(lowered: Lowered | undefined): string | undefined {
  if (lowered?.kind !== "text") return undefined;
  return lowered.pieces.every((piece) => "text" in piece) ? toSpecText(lowered.pieces) : undefined;
}

/** As part of a text. */
export function piecesOf(lowered: Lowered): readonly Piece[] | undefined {
  if (lowered.kind === "text") return lowered.pieces;
  if (lowered.kind === "cel") return [{ cel: lowered.cel }];
  return lowered.kind === "plain" ? [{ text: String(lowered.value) }] : undefined;
}

/** As CEL, to stand in a larger expression. */
export function celOf(lowered: Lowered): string | undefined {
  switch (lowered.kind) {
    case "cel":
      return lowered.cel;
    case "plain":
      return String(lowered.value);
    case "text":
      return (
        lowered.pieces
          .map((piece) => ("text" in piece ? quoteCel(piece.text) : `string(${piece.cel})`))
          .join(" + ") || "''"
      );
    case "list": {
      const items = lowered.items.map(celOf);
      return items.includes(undefined) ? undefined : `[${items.join(", ")}]`;
    }
    case "map":
    case "none":
      return undefined;
  }
}

/** As a node of a document. Why a part of it has no value goes into `reasons`. */
export function toNode(lowered: Lowered, place: Place, reasons: Map<ScalarNode, string>): Node {
  switch (lowered.kind) {
    case "text":
      return { kind: "scalar", place, value: toSpecText(lowered.pieces) };
    case "plain":
      return { kind: "scalar", place, value: lowered.value };
    case "cel":
      return { kind: "scalar", place, value: `\${{ ${lowered.cel} }}` };
    case "list":
      return { kind: "list", place, items: lowered.items.map((item) => toNode(item, place, reasons)) };
    case "map": {
      const entries = lowered.entries.map(
        ([key, value]) => [key, { keyPlace: place, node: toNode(value, place, reasons) }] as const,
      );
      return { kind: "map", place, entries: new Map(entries) };
    }
    case "none": {
      const node: ScalarNode = { kind: "scalar", place, value: null, broken: true };
      reasons.set(node, lowered.why);
      return node;
    }
  }
}
