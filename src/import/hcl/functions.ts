import { fromGoLayout, fromHclLayout, rfc3339, toTimeCel } from "../time-layout.ts";
import { celOf, celText, type Lowered, literalOf, none, piecesOf, textOf } from "./lowered.ts";

type Call = (given: readonly Lowered[]) => Lowered | undefined;

/** Calls a function of Packer's HCL2 (https://developer.hashicorp.com/packer/docs/templates/hcl_templates/functions). */
export function call(name: string, given: readonly Lowered[]): Lowered {
  const failed = given.find((each) => each.kind === "none");
  if (failed) return failed;
  return functions[name]?.(given) ?? none(`imgspec has nothing like ${name}(…) of these values`);
}

const functions: Readonly<Record<string, Call>> = {
  upper: ([text]) => changed(text, (word) => word.toUpperCase(), "upperAscii()"),
  lower: ([text]) => changed(text, (word) => word.toLowerCase(), "lowerAscii()"),
  trimspace: ([text]) => changed(text, (word) => word.trim(), "trim()"),
  replace: ([text, from, to]) => {
    const [before, after] = [literalOf(from), literalOf(to)];
    if (before === undefined || after === undefined || isPattern(before)) return undefined;
    return changed(
      text,
      (word) => word.replaceAll(before, () => after),
      `replace(${celOf(textOf(before))}, ${celOf(textOf(after))})`,
    );
  },
  regex_replace: ([text, pattern, to]) => {
    const time = text?.kind === "cel" ? timePattern(text.cel) : undefined;
    const characters = /^\[([^\]\\^]+)\]\+?$/.exec(literalOf(pattern) ?? "")?.[1];
    const after = literalOf(to);
    if (time === undefined || characters === undefined || after === undefined) return undefined;
    return celText(toTimeCel(replaceIn(time, characters, after)));
  },
  join: ([separator, list]) => {
    const between = separator && celOf(separator);
    const items = list?.kind === "list" ? list.items.map(piecesOf) : undefined;
    const literal = literalOf(separator);
    if (items && literal !== undefined && !items.includes(undefined))
      return {
        kind: "text",
        pieces: items.flatMap((item, index) => [...(index > 0 ? [{ text: literal }] : []), ...(item ?? [])]),
      };
    return list?.kind === "cel" ? celText(`${list.cel}.join(${between})`) : undefined;
  },
  split: ([separator, text]) => {
    const [by, from] = [separator && celOf(separator), text && celOf(text)];
    return by && from ? { kind: "cel", cel: `${from}.split(${by})`, isText: false } : undefined;
  },
  length: ([list]) => {
    const inner = list && celOf(list);
    return inner === undefined ? undefined : { kind: "cel", cel: `size(${inner})`, isText: false };
  },
  concat: (lists) =>
    lists.every((list) => list.kind === "list")
      ? { kind: "list", items: lists.flatMap((list) => (list.kind === "list" ? list.items : [])) }
      : undefined,
  merge: (maps) =>
    maps.every((map) => map.kind === "map")
      ? { kind: "map", entries: maps.flatMap((map) => (map.kind === "map" ? map.entries : [])) }
      : undefined,
  contains: ([list, item]) => {
    const [inner, wanted] = [list && celOf(list), item && celOf(item)];
    return inner && wanted ? { kind: "cel", cel: `${wanted} in ${inner}`, isText: false } : undefined;
  },
  tostring: ([value]) => {
    const pieces = value && piecesOf(value);
    return pieces && { kind: "text", pieces };
  },
  format: ([layout, ...values]) => {
    const parts = literalOf(layout)?.split("%s");
    if (!parts || parts.length !== values.length + 1 || parts.some((part) => part.includes("%")))
      return undefined;
    const pieces = values.map(piecesOf);
    if (pieces.includes(undefined)) return undefined;
    return { kind: "text", pieces: parts.flatMap((text, index) => [{ text }, ...(pieces[index] ?? [])]) };
  },
  file: ([path]) => {
    const inner = path && celOf(path);
    return inner === undefined ? undefined : celText(`file(${inner.replace(/^'\.\//, "'")})`);
  },
  base64encode: ([text]) => wrapped("base64", text),
  sha256: ([text]) => wrapped("sha256", text),
  timestamp: () => celText(toTimeCel(rfc3339)),
  legacy_isotime: ([layout]) => atTime(layout, fromGoLayout),
  isotime: ([layout]) => atTime(layout, fromGoLayout),
  legacy_strftime: ([pattern]) => atTime(pattern, (text) => (/%[^YmdHMS%]/.test(text) ? undefined : text)),
  formatdate: ([layout, time]) =>
    time?.kind === "cel" && timePattern(time.cel) === rfc3339 ? atTime(layout, fromHclLayout) : undefined,
  clean_resource_name: ([text]) => {
    const time = text?.kind === "cel" ? timePattern(text.cel) : undefined;
    return time === undefined ? text : celText(toTimeCel(time.replaceAll(":", "-")));
  },
  uuidv4: () => celText("build.id"),
  env: () => none("only the default of a variable may be an environment variable"),
};

function changed(
  value: Lowered | undefined,
  change: (text: string) => string,
  method: string,
): Lowered | undefined {
  const literal = literalOf(value);
  if (literal !== undefined) return textOf(change(literal));
  const cel = value && celOf(value);
  if (cel === undefined) return undefined;
  return celText(value?.kind === "text" ? `(${cel}).${method}` : `${cel}.${method}`);
}

function wrapped(name: string, value: Lowered | undefined): Lowered | undefined {
  const cel = value && celOf(value);
  return cel === undefined ? undefined : celText(`${name}(${cel})`);
}

function atTime(layout: Lowered | undefined, translate: (layout: string) => string | undefined): Lowered {
  if (layout === undefined) return celText(toTimeCel(rfc3339));
  const literal = literalOf(layout);
  const pattern = literal === undefined ? undefined : translate(literal);
  return pattern === undefined
    ? none("imgspec writes times in numbers only: %Y %m %d %H %M %S")
    : celText(toTimeCel(pattern));
}

function timePattern(cel: string): string | undefined {
  return /^build\.now\.format\('([^']*)'\)$/.exec(cel)?.[1];
}

/** Replaces characters of a pattern, but not those of its verbs: `[- TZ:]` and the like. */
function replaceIn(pattern: string, characters: string, after: string): string {
  return pattern.replaceAll(/%.|[^%]/g, (part) =>
    part.length === 1 && characters.includes(part) ? after : part,
  );
}

/** To `replace`, `/x/` is a regular expression. */
function isPattern(text: string): boolean {
  return text.length > 1 && text.startsWith("/") && text.endsWith("/");
}
