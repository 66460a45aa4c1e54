import { AwsFault } from "../fault.ts";
import type { Params } from "./params.ts";
import type { Tags } from "./tags.ts";

/** For each filter of a call, the values that a thing has. */
export type FilterTable<T> = Readonly<
  Record<string, (thing: T) => string | number | boolean | null | readonly string[]>
>;

type Filter = { readonly name: string; readonly patterns: readonly RegExp[] };

/** Those of the things that every filter of the call fits; a filter that EC2 does not know is an error. */
export function filtered<T>(
  params: Params,
  things: readonly T[],
  table: FilterTable<T>,
  tagsOf?: (thing: T) => Tags,
): readonly T[] {
  const filters = readFilters(params);
  for (const { name } of filters) {
    const isTag = tagsOf !== undefined && (name.startsWith("tag:") || name === "tag-key");
    if (!isTag && !Object.hasOwn(table, name)) {
      throw new AwsFault("InvalidParameterValue", `The filter '${name}' is invalid`);
    }
  }
  return things.filter((thing) =>
    filters.every(({ name, patterns }) =>
      valuesOf(thing, name, table, tagsOf).some((value) => patterns.some((pattern) => pattern.test(value))),
    ),
  );
}

function readFilters(params: Params): readonly Filter[] {
  return params.groups("Filter").map((filter) => {
    const name = filter.required("Name");
    const values = filter.list("Value");
    if (values.length === 0)
      throw new AwsFault("MissingParameter", `The request must contain the parameter Filter.Value`);
    return { name, patterns: values.map(toPattern) };
  });
}

function valuesOf<T>(
  thing: T,
  name: string,
  table: FilterTable<T>,
  tagsOf: ((thing: T) => Tags) | undefined,
): readonly string[] {
  const tags = tagsOf?.(thing) ?? {};
  if (tagsOf && name === "tag-key") return Object.keys(tags);
  if (tagsOf && name.startsWith("tag:")) {
    const value = tags[name.slice("tag:".length)];
    return value === undefined ? [] : [value];
  }
  const value = table[name]?.(thing);
  if (value === null || value === undefined) return [];
  return typeof value === "object" ? value : [String(value)];
}

/** `*` stands for any text, `?` for one character, a backslash takes the meaning from either. */
function toPattern(text: string): RegExp {
  const parts = text.match(/\\[\s\S]|[\s\S]/g) ?? [];
  const source = parts.map((part) => {
    if (part === "*") return "[\\s\\S]*";
    if (part === "?") return "[\\s\\S]";
    const character = part.length > 1 ? part.slice(1) : part;
    return character.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`);
}
