import type { Diagnostic } from "../diagnostic.ts";
import { type Entry, type ListNode, type MapNode, type Node, nodeAt, withEntry } from "../document/node.ts";
import { nearest } from "../util/nearest.ts";
import { knownRegions } from "../util/region.ts";
import { diagnosticAt } from "./finding.ts";

export type Selected = { readonly node: Node; readonly diagnostics: readonly Diagnostic[] };

/**
 * The image with its conditions looked at: of a step that its region does not have only `if: false` is left, so that
 * steps are counted as they are written. What is not a condition is left to the schema.
 */
export function withChosenSteps(image: Node, region: string): Selected {
  const diagnostics: Diagnostic[] = [];
  if (image.kind !== "map") return { node: image, diagnostics };
  const choose = (list: ListNode): ListNode => ({
    ...list,
    items: list.items.map((step) =>
      holds(step, region, diagnostics) ? withoutConditions(step) : toAbsent(step),
    ),
  });
  const whole = withList(image, "provision", choose);
  const verify = whole.entries.get("verify");
  if (verify?.node.kind !== "map") return { node: whole, diagnostics };
  const node = withList(verify.node, "tests", choose);
  return { node: withEntry(whole, "verify", { ...verify, node }), diagnostics };
}

function withList(map: MapNode, key: string, change: (list: ListNode) => ListNode): MapNode {
  const entry = map.entries.get(key);
  return entry?.node.kind === "list" ? withEntry(map, key, { ...entry, node: change(entry.node) }) : map;
}

function holds(step: Node, region: string, diagnostics: Diagnostic[]): boolean {
  const condition = nodeAt(step, ["if"]);
  if (condition?.kind === "scalar" && condition.value === false) return false;
  const [only, except] = ["only", "except"].map((key) => patternsAt(step, key, region, diagnostics));
  const isAmong = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matches(pattern, region));
  return (only === undefined || isAmong(only)) && !(except && isAmong(except));
}

function toAbsent({ place }: Node): Node {
  const node: Node = { kind: "scalar", place, value: false };
  return { kind: "map", place, entries: new Map([["if", { keyPlace: place, node }]]) };
}

/** A condition that holds has said all it has to say. */
function withoutConditions(step: Node): Node {
  if (step.kind !== "map") return step;
  const isSaid = ([key, { node }]: [string, Entry]): boolean =>
    (key === "if" && node.kind === "scalar" && node.value === true) ||
    ((key === "only" || key === "except") && node.kind === "list");
  return { ...step, entries: new Map([...step.entries].filter((entry) => !isSaid(entry))) };
}

function patternsAt(
  step: Node,
  key: string,
  region: string,
  diagnostics: Diagnostic[],
): readonly string[] | undefined {
  const list = nodeAt(step, [key]);
  if (list?.kind !== "list") return undefined;
  const patterns: string[] = [];
  for (const item of list.items) {
    if (item.kind !== "scalar" || typeof item.value !== "string" || item.broken) continue;
    const pattern = item.value;
    patterns.push(pattern);
    if ([...knownRegions, region].some((name) => matches(pattern, name))) continue;
    const meant = nearest(pattern, knownRegions);
    const hint = meant ? `did you mean "${meant}"?` : "* stands for any characters, as in cn-*";
    const message = `${key}: there is no region "${pattern}"`;
    diagnostics.push(diagnosticAt(item.place, { code: "condition-wrong", message, hint }));
  }
  return patterns;
}

/** `*` stands for any characters; no regular expression, whose time a pattern could make endless. */
function matches(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length)
    return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
