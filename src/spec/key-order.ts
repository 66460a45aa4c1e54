import type { Path } from "../document/node.ts";
import { keysOf, membersOf, resolve, type Schema } from "./written-schema.ts";

/**
 * The keys of the map at a path of a spec, in the order of the schema; none where they are the user's. `*` stands for keys
 * that are not in the schema: of a step, for what a plugin calls it.
 */
export function keysAt(root: Schema, path: Path): readonly string[] {
  let schema: Schema | undefined = root;
  for (const step of path) {
    const inner: Schema | undefined = schema && child(schema, step);
    schema = inner && resolve(root, inner);
  }
  if (!schema) return [];
  // A map where a list is meant says what is added to one.
  const keys = schema.items ? Object.keys(schema.properties ?? {}) : [...keysOf(schema).keys()];
  const conditions = path.at(-2) === "provision" || path.at(-3) === "provision" ? keys.indexOf("if") : -1;
  return conditions < 0 ? keys : keys.toSpliced(conditions, 0, "*");
}

function child(schema: Schema, step: string | number): Schema | undefined {
  if (typeof step === "number") return schema.items;
  if (schema.items) return schema.properties?.[step];
  return keysOf(schema).get(step) ?? membersOf(schema);
}
