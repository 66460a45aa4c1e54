import type { Path } from "../document/node.ts";
import { keysOf, membersOf, resolve, type Schema } from "./written-schema.ts";

/** The keys of the map at a path of a spec, in the order of the schema; none where they are the user's. */
export function keysAt(root: Schema, path: Path): readonly string[] {
  let schema: Schema | undefined = root;
  for (const step of path) {
    const inner: Schema | undefined = schema && child(schema, step);
    schema = inner && resolve(root, inner);
  }
  if (!schema) return [];
  // A map where a list is meant says what is added to one.
  return schema.items ? Object.keys(schema.properties ?? {}) : [...keysOf(schema).keys()];
}

function child(schema: Schema, step: string | number): Schema | undefined {
  if (typeof step === "number") return schema.items;
  if (schema.items) return schema.properties?.[step];
  return keysOf(schema).get(step) ?? membersOf(schema);
}
