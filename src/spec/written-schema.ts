/** A JSON Schema, with the keywords that the published one of specs (schemas/imgspec.v1.schema.json) uses. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  /** Those with maps in them, of which editors make nothing good. */
  readonly "x-examples"?: readonly unknown[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [key: string]: Schema };
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly if?: Schema;
  readonly then?: Schema;
  readonly else?: Schema;
  readonly definitions?: { readonly [name: string]: Schema };
};

/** The schema that a `$ref` names. */
export function resolve(root: Schema, schema: Schema): Schema {
  const name = schema.$ref?.split("/").at(-1);
  return name === undefined ? schema : (root.definitions?.[name] ?? schema);
}

export type Branch = { readonly method: string | undefined; readonly schema: Schema };

/** What a section is with each of its methods, the standard one first; what has only one way is itself. */
export function branchesOf(schema: Schema): readonly Branch[] {
  if (!schema.if || !schema.then || !schema.else) {
    return [{ method: schema.properties?.["method"]?.default as string | undefined, schema }];
  }
  const method = schema.if.properties?.["method"]?.const as string | undefined;
  return [...branchesOf(schema.else), { method, schema: schema.then }];
}

/** The keys that the language gives to a map, or to the maps in a list; of all methods, each once, in their order. */
export function keysOf(schema: Schema): ReadonlyMap<string, Schema> {
  const keys = new Map<string, Schema>();
  // The method that stands outside of the branches has all of them as its values.
  const method = schema.if && schema.properties?.["method"];
  if (method) keys.set("method", method);
  for (const { schema: branch } of branchesOf(schema)) {
    const properties = branch.items ? branch.items.properties : branch.properties;
    for (const [key, inner] of Object.entries(properties ?? {})) if (!keys.has(key)) keys.set(key, inner);
  }
  return keys;
}

/** The maps in a list, the values of a map whose keys are the user's. */
export function membersOf(schema: Schema): Schema | undefined {
  if (schema.items) return schema.items;
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}
