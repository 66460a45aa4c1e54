// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { dirname, resolve } from "node:path";
import { type Node, nodeAt, type Path, type PlainValue, toValue } from "../document/node.ts";
import { toLiteral } from "./expression.ts";
import type { WrittenImage } from "./image.gen.ts";
import { sections as sectionNames } from "./layer.ts";
import { isPathWord, toPathWord } from "./paths.ts";
import type { ImageSpec } from "./spec.ts";

/** One region's sections with defaults filled in, and the nodes that they come from. */
export type WrittenRegion = { readonly value: WrittenImage; readonly node: Node };

/** One image as a spec of its own, with nothing left open but secrets. */
export type Rendered = {
  readonly value: PlainValue;
  /** `file:line` of what is at a path of `value`, or `default`; `undefined` for what nobody wrote so. */
  originOf(path: Path): string | undefined;
};

/** `root` is the spec that the region belongs to, in a folder of an absolute path. */
export function toRendered(
  root: Node,
  directory: string,
  image: ImageSpec,
  written: WrittenRegion,
): Rendered {
  const node = withoutAbsent(written.node);
  // A cast from what the schema checks: every value of it is plain.
  const present = withoutAbsentValues(written.value as unknown as PlainValue);
  const { profile, ...sections } = withSecrets(present, node) as Record<string, PlainValue>;
  const whole = { ...sections, ...filledIn(sections, image) };
  const ordered = sectionNames.flatMap((name) => (whole[name] === undefined ? [] : [[name, whole[name]]]));
  const secrets = secretVariables(root);
  const region = image.region.name;
  const plugins = pluginsOf(root, directory);
  const spec = {
    imgspec: 1,
    name: image.name,
    ...(plugins.length > 0 ? { plugins } : {}),
    ...(Object.keys(secrets).length > 0 ? { variables: secrets } : {}),
    ...Object.fromEntries(ordered),
    regions: { [region]: profile === null || profile === undefined ? {} : { profile } },
  };
  return { value: spec, originOf: (path) => originOf(root, node, path) };
}

/** As they are named from the folder of the spec. */
function pluginsOf(root: Node, directory: string): string[] {
  const list = nodeAt(root, ["plugins"]);
  const names = (list?.kind === "list" ? list.items : []).map((item) => {
    const name = String(toValue(item));
    return isPathWord(name) ? toPathWord(name, dirname(resolve(item.place.path)), directory) : name;
  });
  return [...new Set(names)];
}

/** What has a default that is made of other values. */
function filledIn(
  sections: Record<string, PlainValue>,
  { upload, register }: ImageSpec,
): Record<string, PlainValue> {
  return {
    upload: { ...(sections["upload"] as object), prefix: toLiteral(upload.prefix) },
    register: { ...(sections["register"] as object), name: register.name },
  };
}

/** A secret is not here, so what was written in its place is. */
function withSecrets(value: PlainValue, node: Node | undefined): PlainValue {
  if (node?.kind === "scalar" && node.secret) return node.secret.written;
  if (typeof value === "string") return toLiteral(value);
  if (Array.isArray(value))
    return value.map((item, index) => withSecrets(item, node && nodeAt(node, [index])));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, withSecrets(inner, node && nodeAt(node, [key]))]),
  );
}

/** Without the steps that the region does not have. */
function withoutAbsent(node: Node): Node {
  if (node.kind === "list") {
    const isThere = (step: Node): boolean => !(step.kind === "map" && toValueOf(step, "if") === false);
    return { ...node, items: node.items.filter(isThere).map(withoutAbsent) };
  }
  if (node.kind === "scalar") return node;
  const entries = [...node.entries].map(
    ([key, entry]) => [key, { ...entry, node: withoutAbsent(entry.node) }] as const,
  );
  return { ...node, entries: new Map(entries) };
}

function toValueOf(map: Node, key: string): PlainValue | undefined {
  const node = nodeAt(map, [key]);
  return node && toValue(node);
}

function withoutAbsentValues(value: PlainValue): PlainValue {
  if (Array.isArray(value)) {
    const isThere = (step: PlainValue): boolean => (step as { if?: unknown } | null)?.if !== false;
    return value.filter(isThere).map(withoutAbsentValues);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutAbsentValues(inner)]));
}

/** The declarations of what expressions still need; a default that must not be seen is not carried along. */
function secretVariables(root: Node): Record<string, PlainValue> {
  const variables = nodeAt(root, ["variables"]);
  if (variables?.kind !== "map") return {};
  const declared = [...variables.entries].flatMap(([name, { node }]) => {
    const { default: _, ...rest } = (toValue(node) ?? {}) as Record<string, PlainValue>;
    return rest["sensitive"] === true ? [[name, rest] as const] : [];
  });
  return Object.fromEntries(declared);
}

function originOf(root: Node, image: Node, path: Path): string | undefined {
  const [first, region, key] = path;
  if (first === "regions")
    return key === undefined ? undefined : at(nodeAt(root, ["regions", region ?? "", key]));
  if (first === "imgspec" || first === "name" || first === "plugins" || first === "variables")
    return at(nodeAt(root, path));
  return at(nodeAt(image, path)) ?? "default";
}

function at(node: Node | undefined): string | undefined {
  return node && `${node.place.path}:${node.place.line}`;
}
