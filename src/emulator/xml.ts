/**
 * What an answer of AWS is made of. An array repeats its element, `undefined` leaves it out, a key that begins
 * with `@` is an attribute, the key `#` is text.
 */
export type XmlValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly XmlValue[]
  | { readonly [name: string]: XmlValue };

/** A whole XML document with this root. */
export function toXmlDocument(name: string, value: XmlValue): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${toXml(name, value)}`;
}

/** A list as EC2 writes it: `<nameSet><item>…</item></nameSet>`. */
export function toItems(values: readonly XmlValue[]): XmlValue {
  return { item: values };
}

function toXml(name: string, value: XmlValue): string {
  if (value === undefined) return "";
  if (isList(value)) return value.map((one) => toXml(name, one)).join("");
  if (value === null) return `<${name}/>`;
  if (typeof value !== "object") return `<${name}>${escapeXml(String(value))}</${name}>`;
  const entries = Object.entries(value);
  const attributes = entries
    .filter(([key]) => key.startsWith("@"))
    .map(([key, text]) => ` ${key.slice(1)}="${escapeXml(String(text))}"`);
  const children = entries
    .filter(([key]) => !key.startsWith("@"))
    .map(([key, child]) => (key === "#" ? escapeXml(String(child)) : toXml(key, child)));
  return `<${name}${attributes.join("")}>${children.join("")}</${name}>`;
}

function isList(value: XmlValue): value is readonly XmlValue[] {
  return Array.isArray(value);
}

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
};

function escapeXml(text: string): string {
  return text.replaceAll(/[&<>"'\r]/g, (one) => escapes[one] ?? one);
}
