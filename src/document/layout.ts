import {
  isMap,
  isNode,
  isScalar,
  type Scalar,
  type ScalarTag,
  type SchemaOptions,
  YAMLMap,
  YAMLSeq,
} from "yaml";
import { stringifyString } from "yaml/util";

type Tags = Extract<NonNullable<SchemaOptions["customTags"]>, readonly unknown[]>;
type Stringify = NonNullable<ScalarTag["stringify"]>;

/** Every scalar is its text, so that numbers and the like are written as they were. */
export function toTags(content: string): (tags: Tags) => Tags {
  const toTag = (tag: Tags[number]): Tags[number] => {
    if (typeof tag === "string") return tag;
    // The types do not know that the library asks the tags of maps and lists too.
    if (tag.nodeClass === YAMLMap) return { ...tag, stringify: withPadding(" ") } as unknown as ScalarTag;
    if (tag.nodeClass === YAMLSeq) return { ...tag, stringify: withPadding("") } as unknown as ScalarTag;
    return { ...tag, stringify: asWritten(content) } as ScalarTag;
  };
  return (tags) => tags.map(toTag);
}

/** `{ a: b }`, but `[a, b]`. */
function withPadding(flowCollectionPadding: string) {
  return (node: unknown, ...[context, onComment, onChompKeep]: Rest): string =>
    (node as YAMLMap).toString({ ...context, flowCollectionPadding }, onComment, onChompKeep);
}

type Rest = Parameters<Stringify> extends [unknown, ...infer R] ? R : never;

/** A scalar with the quotes and escapes that it has in `content`, its lines indented anew. */
function asWritten(content: string): Stringify {
  return (node, context, onComment, onChompKeep) => {
    const { range, type } = node as Scalar;
    const anew = (): string => stringifyString(node as StringNode, context, onComment, onChompKeep);
    if (!range || type === "BLOCK_LITERAL") return anew();
    const [first = "", ...lines] = content.slice(range[0], range[1]).split("\n");
    if (type !== "BLOCK_FOLDED") {
      return [first, ...lines.map((line) => indented(line.trimStart(), context.indent))].join("\n");
    }
    // Where the header says how deep the text is, or that its end counts, it takes more than moving lines.
    if (/^>-?[+\d]/.test(first)) return anew();
    const depth = lines.find((line) => line.trim() !== "")?.search(/\S/) ?? 0;
    const body = lines.map((line) => indented(line.slice(depth), context.indent || "  "));
    onComment?.();
    return [first, ...body].join("\n").trimEnd();
  };
}

type StringNode = Parameters<typeof stringifyString>[0];

function indented(line: string, indent: string): string {
  return line.trim() === "" ? "" : `${indent}${line}`;
}

/** A list or map in brackets stays on its line; one of several lines is put on one, or below each other. */
export function toBlockIfLong(node: YAMLMap | YAMLSeq, content: string): void {
  const [start, end] = node.range ?? [0, 0];
  const source = content.slice(start, end);
  if (!node.flow || !source.includes("\n")) return;
  const column = start - (content.lastIndexOf("\n", start - 1) + 1);
  const isLong = column + source.replaceAll(/\s*\n\s*/g, " ").length > lineColumns;
  if (isLong || /(^|\s)#/m.test(source)) node.flow = false;
}

const lineColumns = 100;

/** Puts the keys in `order`, each with the comments above it; all others where `order` has `*`, or else at the end. */
export function sortKeys(map: YAMLMap, order: readonly string[], isRoot: boolean): void {
  const others = order.includes("*") ? order.indexOf("*") : order.length;
  const rankOf = (key: unknown): number => {
    const index = isScalar(key) ? order.indexOf(String(key.value)) : -1;
    return index < 0 ? others : index;
  };
  const before = map.items[0]?.key;
  map.items.sort((one, other) => rankOf(one.key) - rankOf(other.key));
  const after = map.items[0]?.key;
  if (before === after || !isScalar(before) || !isScalar(after)) return;
  [before.spaceBefore, after.spaceBefore] = [after.spaceBefore ?? false, before.spaceBefore ?? false];
  // What stands above the first key is about the key, but at the top of a file about the file.
  const [first, last] = isRoot ? [after, before] : [before, after];
  const above = isRoot ? before.commentBefore : map.commentBefore;
  const [behind, rest] = isRoot ? [undefined, above] : splitBehind(above);
  const comments = [rest, first.commentBefore].filter((comment) => comment != null);
  first.commentBefore = comments.length > 0 ? comments.join("\n") : null;
  if (isRoot) last.commentBefore = null;
  else map.commentBefore = behind ?? null;
}

/** Begins a comment that stands behind a key, on its line; the library would put it below. */
const behindKey = "\u{f8ff}";

/** Marks the comment on the line of a key whose value is below it. */
export function markBehind(key: Scalar, value: unknown, content: string): void {
  if (!isCollection(value) || value.flow || !value.commentBefore || !key.range) return;
  const line = content.slice(key.range[1]).split("\n", 1).join();
  if (/^\s*:\s+(&\S+\s+)?#/.test(line)) value.commentBefore = behindKey + value.commentBefore;
}

/** Puts what `markBehind` marked back behind its key. */
export function joinBehind(text: string): string {
  return text.replaceAll(new RegExp(`\\n *#${behindKey}`, "gu"), " #");
}

function splitBehind(comment: string | null | undefined): readonly [string | undefined, string | undefined] {
  if (!comment?.startsWith(behindKey)) return [undefined, comment ?? undefined];
  const [behind, ...rest] = comment.split("\n");
  return [behind, rest.length > 0 ? rest.join("\n") : undefined];
}

/** One blank line is as good as several, between comments too. */
export function closeGaps(node: unknown): void {
  if (!isNode(node)) return;
  const close = (comment: string | null | undefined): string | null =>
    comment?.replaceAll(/\n([ \t]*\n){2,}/g, "\n\n").replace(/\n+$/, "\n") ?? null;
  node.commentBefore = close(node.commentBefore);
  node.comment = close(node.comment);
}

/** Whether what stands there is a map or a list, and not a scalar or an alias. */
export function isCollection(node: unknown): node is YAMLMap | YAMLSeq {
  return isMap(node) || node instanceof YAMLSeq;
}
