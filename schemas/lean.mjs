import { withInner } from "./schema-walk.mjs";

/**
 * What a validator needs of a schema, in the form that is quickest to load: without the words for people, and with each
 * part that has parts of its own a definition, once. A function is made of each definition, and V8 compiles only the
 * functions that are called.
 */
export function toLean(schema) {
  const names = new Map();
  const definitions = {};
  const hoist = (part) => {
    const { default: standard, ...rest } = part;
    const text = JSON.stringify(rest);
    if (!names.has(text)) {
      names.set(text, `part${names.size}`);
      definitions[names.get(text)] = rest;
    }
    return {
      $ref: `#/definitions/${names.get(text)}`,
      // Both are read from where the key is, too: what is filled in, and what a hint shows.
      ...(standard === undefined ? {} : { default: standard }),
      ...(part.examples === undefined ? {} : { examples: part.examples }),
    };
  };
  const toPart = (inner, keyword) => {
    const bare = toBare(inner);
    if (!shared.includes(keyword)) return bare;
    const part = withInner(bare, toPart);
    return part.properties || part.items ? hoist(part) : part;
  };
  const { definitions: own = {}, ...root } = withInner(schema, (inner, keyword) =>
    keyword === "definitions" ? withInner(toBare(inner), toPart) : toPart(inner, keyword),
  );
  return { ...toBare(root), definitions: { ...own, ...definitions } };
}

const shared = ["properties", "items", "additionalProperties", "then", "else"];

const words = ["$id", "title", "description", "enumDescriptions", "deprecationMessage"];

function toBare(schema) {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !words.includes(keyword)));
}
