import { stringify } from "yaml";

/** The snippet of a value, each scalar a placeholder: editors write strings as they are, so these are YAML already. */
export function toSnippet(value) {
  let count = 0;
  const toPlaceholder = (scalar, isInFlow) => {
    count += 1;
    return `\${${count}:${toScalar(scalar, isInFlow).replace(/[$}\\]/g, "\\$&")}}`;
  };
  const toBody = (inner) => {
    if (Array.isArray(inner)) return inner.every(isScalar) ? toFlow(inner) : inner.map(toBody);
    if (isScalar(inner)) return toPlaceholder(inner, false);
    const entries = Object.entries(inner).map(([key, child]) => [toScalar(key), toBody(child)]);
    return entries.length === 0 ? "{}" : Object.fromEntries(entries);
  };
  const toFlow = (list) => `[${list.map((scalar) => toPlaceholder(scalar, true)).join(", ")}]`;
  return { body: toBody(value) };
}

function isScalar(value) {
  return typeof value !== "object" || value === null;
}

/** On one line. */
function toScalar(value, isInFlow = false) {
  const text = stringify(value, { lineWidth: 0, defaultStringType: "PLAIN" }).trimEnd();
  return typeof value === "string" && (text.includes("\n") || (isInFlow && /[[\]{},]/.test(text)))
    ? JSON.stringify(value)
    : text;
}
