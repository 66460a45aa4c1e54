import { Marked } from "marked";
import { highlight, toEscaped } from "./highlight.mjs";
import { addressOf, hrefFrom, read, targetOf } from "./pages.mjs";

/**
 * A page of Markdown as HTML that is XML, too. `headings` and `keys` are what can be linked to; `links` are the files
 * of the repository that it links to or shows.
 */
export function toArticle(page) {
  const address = addressOf(page);
  const found = { title: "", headings: [], keys: [], links: [] };
  const slugs = new Set();
  const toHref = (link) => {
    const target = targetOf(link, page);
    if (target === null) return link;
    found.links.push(target);
    return hrefFrom(address, addressOf(target.path), target.heading);
  };
  /** A row of the reference that begins with a key, an option or a code can be linked to and found. */
  const toRowId = (cell, section) => {
    const [, name] = /^`([^`]+)`$/.exec(cell?.text ?? "") ?? [];
    if (!page.startsWith("docs/reference/") || name === undefined) return "";
    const key = toKey(name, section);
    const id = uniqueIn(slugs, slugOf(key, true));
    found.keys.push({ id, text: key });
    return ` id="${id}"`;
  };
  const marked = new Marked({ gfm: true });
  marked.use({
    renderer: {
      ...plainRenderer,
      heading({ tokens, depth, text }) {
        const inner = this.parser.parseInline(tokens);
        const id = uniqueIn(slugs, slugOf(text));
        found.headings.push({ depth, id, text: textOf(inner) });
        if (depth === 1) found.title = textOf(inner);
        const name = toEscaped(`Link to “${textOf(inner)}”`);
        const anchor = depth === 1 ? "" : ` <a class="anchor" href="#${id}" aria-label="${name}">#</a>`;
        return `<h${depth} id="${id}">${inner}${anchor}</h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${toEscaped(toHref(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }) {
        return `<img src="${toEscaped(toHref(href))}" alt="${toEscaped(text)}" />`;
      },
      table({ header, rows }) {
        const section = found.headings.at(-1);
        const head = header.map(({ tokens }) => `<th scope="col">${this.parser.parseInline(tokens)}</th>`);
        const body = rows.map((row) => {
          const cells = row.map(({ tokens, text }) => {
            const isLong = text.length > 40 ? ' class="long"' : "";
            return `<td${isLong}>${this.parser.parseInline(tokens)}</td>`;
          });
          return `<tr${toRowId(row[0], section)}>${cells.join("")}</tr>`;
        });
        const name = toEscaped(`Table of “${section?.text ?? "this page"}”`);
        return `<div class="table" role="group" tabindex="0" aria-label="${name}"><table>\n<thead><tr>${head.join("")}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody></table></div>\n`;
      },
    },
  });
  return { page, address, html: marked.parse(read(page).toString("utf8")), ...found };
}

const plainRenderer = {
  code({ text, lang }) {
    const language = (lang ?? "").split(" ")[0];
    return `<pre tabindex="0"><code>${highlight(`${text}\n`, language)}</code></pre>\n`;
  },
  codespan: ({ text }) => `<code>${toEscaped(text)}</code>`,
  // What stands there is for the tests, not for readers.
  html: () => "",
  br: () => "<br />",
  hr: () => "<hr />\n",
  text(token) {
    return token.tokens ? this.parser.parseInline(token.tokens) : toEscaped(unescaped(token.text));
  },
};

/** `at` under "bundle" is `bundle.at`; `-o, --output <format>` under "imgspec build" is `imgspec build --output`. */
function toKey(name, section) {
  const option = /--[\w-]+/.exec(name)?.[0];
  if (option) return `${section.text} ${option}`;
  const path = section.text.replace(/, method: .*/, "").replace(": ", ".");
  return /^[a-z]\w*(\.\w+)*$/.test(path) ? `${path}.${name}` : name;
}

/** As GitHub makes anchors of headings; keys keep their dots. */
function slugOf(text, isKey = false) {
  return text
    .toLowerCase()
    .replaceAll(isKey ? /[^\w\s.-]/g : /[^\p{L}\p{N}_\s-]/gu, "")
    .replaceAll(" ", "-");
}

function uniqueIn(slugs, slug) {
  let unique = slug;
  for (let count = 1; slugs.has(unique); count += 1) unique = `${slug}-${count}`;
  slugs.add(unique);
  return unique;
}

/** What is read of a piece of HTML. */
function textOf(html) {
  return unescaped(html.replaceAll(/<[^>]*>/g, ""));
}

function unescaped(text) {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&amp;", "&");
}
