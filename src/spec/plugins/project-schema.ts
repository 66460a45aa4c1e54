import type { Schema } from "../written-schema.ts";
import type { LoadedProvisioner, Plugins } from "./load.ts";
import { orExpression, toWrittenForm } from "./written-form.ts";

/** The published schema with the steps of plugins in it: for editors, and for `imgspec explain`. */
export function toProjectSchema(published: Schema, { provisioners }: Plugins): Schema {
  const { provision } = published.definitions ?? {};
  if (!provision || provisioners.size === 0) return published;
  const all = [...provisioners.values()];
  const { append, prepend } = provision.properties ?? {};
  const toList = (list: Schema): Schema => ({
    ...list,
    ...(list.items && { items: withKinds(list.items, all) }),
  });
  const properties = {
    ...provision.properties,
    ...(append && { append: toList(append) }),
    ...(prepend && { prepend: toList(prepend) }),
  };
  const own = all.flatMap(({ kind, schema }) =>
    Object.entries(schema.definitions ?? {}).map(([name, inner]): [string, Schema] => [
      toName(kind, name),
      orExpression(withNames(inner, kind)),
    ]),
  );
  const definitions = { ...published.definitions, provision: { ...toList(provision), properties } };
  return { ...published, definitions: { ...definitions, ...Object.fromEntries(own) } };
}

/** Keywords that the type of schemas need not know, since nothing but this reads them. */
type Items = Schema & {
  readonly oneOf?: readonly Schema[];
  readonly defaultSnippets?: readonly object[];
};

function withKinds(items: Items, all: readonly LoadedProvisioner[]): Items {
  const added = all.map(({ kind, schema }) => {
    const { definitions: _, ...rest } = schema;
    return [kind, toWrittenForm(withNames(rest, kind))] as const;
  });
  const snippets = added.map(([kind, { description, examples }]) => {
    return { label: kind, ...(description && { description }), body: { [kind]: examples?.[0] ?? {} } };
  });
  return {
    ...items,
    oneOf: [...(items.oneOf ?? []), ...added.map(([kind]) => ({ required: [kind] }))],
    // Before those of imgspec's own, so that the conditions stay the last.
    properties: { ...Object.fromEntries(added), ...items.properties },
    defaultSnippets: [...(items.defaultSnippets ?? []), ...snippets],
  };
}

/** Its own definitions are told apart from those of others by the kind. */
function withNames(schema: Schema, kind: string): Schema {
  const text = JSON.stringify(schema).replaceAll(
    /"\$ref":"#\/definitions\/([^"]*)"/g,
    (_, name: string) => `"$ref":"#/definitions/${toName(kind, name)}"`,
  );
  return JSON.parse(text) as Schema;
}

function toName(kind: string, name: string): string {
  return `${kind}.${name}`;
}
