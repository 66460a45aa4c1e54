/** A value as one would write it on one line of YAML. */
export function toFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toFlow).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([key, inner]) => `${key}: ${toFlow(inner)}`);
    return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
  }
  if (typeof value !== "string") return String(value);
  return plain.test(value) ? value : JSON.stringify(value);
}

/** What needs no quotes and is a text without them, in brackets too; durations are. */
const plain = /^(?!(true|false|null)$)([A-Za-z/][\w./*+-]*|[1-9]\d*[A-Za-z]+)$/i;
