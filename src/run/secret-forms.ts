/** Shorter pieces of base64 would blot out ordinary words. */
const shortestPiece = 6;
/** A line of a key or certificate; shorter ones are words like "{" that say nothing. */
const shortestLine = 4;

/** Every way in which a value is likely to appear in a log. Empty values and blanks are no secrets. */
export function toSecretForms(value: string): readonly string[] {
  const lines = value.split(/\r?\n/).filter((line) => line.length >= shortestLine);
  // Output is told line by line, so a key of many lines is seen one line at a time.
  const values = [value, value.trimEnd(), ...(value.includes("\n") ? lines : [])];
  const forms = values.flatMap((text) => [
    text,
    ...toQuoted(text),
    ...toUrlEncoded(text),
    ...toBase64(text),
    JSON.stringify(text).slice(1, -1),
    toAsciiJson(text),
  ]);
  return [...new Set(forms)].filter((form) => form.trim() !== "" && !/^\*+$/.test(form));
}

/** As Python prints JSON, and with it Ansible. */
function toAsciiJson(text: string): string {
  const toCode = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[^ -~]/g, toCode);
}

/** Between single quotes, between double quotes, and with each special character escaped, as `set -x` and `%q` print. */
function toQuoted(text: string): readonly string[] {
  return [
    text.replaceAll("'", String.raw`'\''`),
    text.replaceAll("'", `'"'"'`),
    text.replace(/[\\"$`]/g, String.raw`\$&`),
    text.replace(/[\\"$`!]/g, String.raw`\$&`),
    text.replace(/[^\w@%+=:,./-]/g, String.raw`\$&`),
    text.replaceAll("\\", String.raw`\\`).replaceAll("'", String.raw`\'`),
  ];
}

function toUrlEncoded(text: string): readonly string[] {
  const encoded = encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
  const strict = encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [encoded, strict, encoded.replaceAll("%20", "+"), strict.replaceAll("%20", "+")];
  return forms.flatMap((form) => [form, form.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase())]);
}

/** Alone, and in the middle of something longer: there base64 depends on where in three bytes the value begins. */
function toBase64(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const whole = [bytes, Buffer.from(`${text}\n`)].map((value) => value.toString("base64"));
  const inside = [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and last characters share bits with what stands before and after.
    const partial = (bytes.length + offset) % 3 === 0 ? 0 : 1;
    return encoded.slice(offset === 0 ? 0 : offset + 1, encoded.length - partial);
  });
  const all = [
    ...whole,
    ...whole.map((form) => form.replace(/=+$/, "")),
    ...inside.filter((form) => form.length >= shortestPiece),
  ];
  return all.flatMap((form) => [form, form.replaceAll("+", "-").replaceAll("/", "_")]);
}
