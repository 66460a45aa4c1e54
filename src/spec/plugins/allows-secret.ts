import type { Schema } from "../written-schema.ts";

/** Whether the schema lets a sensitive variable stand at this path of the options. */
export function allowsSecret(root: Schema, path: readonly (string | number)[]): boolean {
  let schema: (Schema & { readonly sensitive?: unknown }) | undefined = root;
  for (const step of path) {
    const inner: Schema | undefined = typeof step === "number" ? schema.items : innerOf(schema, step);
    const name: string | undefined = inner?.$ref?.split("/").at(-1);
    schema = name === undefined ? inner : root.definitions?.[name];
    if (!schema) return false;
  }
  return schema.sensitive === true;
}

function innerOf({ properties, additionalProperties }: Schema, key: string): Schema | undefined {
  if (properties && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === "object" ? additionalProperties : undefined;
}
