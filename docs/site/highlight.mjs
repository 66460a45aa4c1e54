/** Kinds of words in a language: the first pattern that fits where one stands decides. */
const languages = {
  yaml: [
    ["comment", /(?<=^|\s)#.*/],
    ["expression", /\$\{\{.*?\}\}/],
    ["key", /(?<=^[\s-]*|[{,]\s*)(?:"[^"\n]*"|'[^'\n]*'|[\w./*-]+)(?=:(?:\s|$))/],
    ["string", /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/],
    ["constant", /(?<=[:,[-]\s+|\[)(?:true|false|null|\d[\w.]*)(?=\s*(?:[,\]}#]|$))/],
  ],
  sh: [
    ["comment", /(?<=^|\s)#.*/],
    ["string", /"(?:[^"\\]|\\.)*"|'[^']*'/],
    ["expression", /\$\w+|\$\{[^}]*\}/],
    ["key", /(?<=^\s*|[|;&]\s*)[\w./-]+(?=\s|$)/],
    ["constant", /(?<=\s)--?[A-Za-z][\w-]*/],
  ],
  json: [
    ["key", /"(?:[^"\\]|\\.)*"(?=\s*:)/],
    ["string", /"(?:[^"\\]|\\.)*"/],
    ["constant", /\b(?:true|false|null|\d[\d.]*)\b/],
  ],
};

/** A block of code as HTML: words of known languages stand in `<span class="KIND">`. */
export function highlight(text, language) {
  const kinds = languages[language === "yml" ? "yaml" : language];
  if (!kinds) return toEscaped(text);
  const pattern = new RegExp(kinds.map(([, { source }]) => `(${source})`).join("|"), "gm");
  let html = "";
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    const kind = kinds[match.slice(1).findIndex((group) => group !== undefined)][0];
    html += `${toEscaped(text.slice(at, match.index))}<span class="${kind}">${toEscaped(match[0])}</span>`;
    at = match.index + match[0].length;
  }
  return html + toEscaped(text.slice(at));
}

export function toEscaped(text) {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
