const inMaps = ["properties", "patternProperties", "definitions"];
const inLists = ["anyOf", "oneOf", "allOf"];
const alone = ["items", "additionalProperties", "propertyNames", "if", "then", "else", "not"];

/**
 * A copy of a schema with `change(inner, keyword, name)` in place of each schema right below it. What only looks like a
 * schema (an example, a default) is left as it is.
 */
export function withInner(schema, change) {
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, toChanged(keyword, value, change)]),
  );
}

function toChanged(keyword, value, change) {
  if (typeof value !== "object" || value === null) return value;
  if (inMaps.includes(keyword)) {
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([name, inner]) => [name, change(inner, keyword, name)]));
  }
  if (inLists.includes(keyword)) return value.map((inner) => change(inner, keyword));
  return alone.includes(keyword) ? change(value, keyword) : value;
}
