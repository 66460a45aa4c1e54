import { toEscaped } from "./highlight.mjs";
import { addressOf, hrefFrom, indexPage } from "./pages.mjs";

/** The sections of the navigation: the lists of links of the index page, and what none of them has. */
export function toNavigation(articles, indexText) {
  const sections = [];
  const listed = new Set([indexPage]);
  for (const line of indexText.split("\n")) {
    const [, title] = /^## (.+)$/.exec(line) ?? [];
    if (title !== undefined) sections.push({ title, entries: [] });
    const [, text, link] = /^- \[(.+?)\]\(([^)#]+)\)/.exec(line) ?? [];
    const section = sections.at(-1);
    const article = link && articles.find(({ page }) => page === toPage(link));
    if (!section || !article) continue;
    section.entries.push({ text, article });
    listed.add(article.page);
  }
  const others = articles.filter(({ page }) => !listed.has(page));
  const more = others.map((article) => ({ text: article.title, article }));
  return more.length > 0 ? [...sections, { title: "More", entries: more }] : sections;
}

function toPage(link) {
  return link.startsWith("../") ? link.slice(3) : `docs/${link}`;
}

/** The whole document of a page. */
export function toHtml(article, navigation) {
  const { address, html, title } = article;
  const toTop = "../".repeat(address.split("/").length - 1);
  const name = article.page === indexPage ? title : `${title} · imgspec`;
  return `<!DOCTYPE html>
<html lang="en" data-top="${toTop}">
<head>
<meta charset="utf-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<title>${toEscaped(name)}</title>
<link rel="stylesheet" href="${toTop}assets/style.css" />
<script defer="defer" src="${toTop}assets/search-index.js"></script>
<script defer="defer" src="${toTop}assets/search.js"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="name" href="${hrefFrom(address, addressOf(indexPage))}">imgspec</a>
<a class="menu" href="#pages">Pages</a>
<search hidden="hidden">
<label for="query">Search headings and keys</label>
<input id="query" type="search" autocomplete="off" spellcheck="false" placeholder="Search: bundle.at, bucket…" aria-controls="results" />
<div id="results" hidden="hidden"><p role="status"></p><ul></ul></div>
</search>
</header>
<main id="content" tabindex="-1">
${html}</main>
<nav id="pages" aria-label="Pages">
${navigation.map((section) => toSection(section, article)).join("\n")}
</nav>
<footer>imgspec is free software under the Apache License 2.0.</footer>
</body>
</html>
`;
}

function toSection({ title, entries }, current) {
  const items = entries.map(({ text, article }) => {
    const isHere = article === current;
    const inside = isHere ? toInside(current) : "";
    const here = isHere ? ' aria-current="page"' : "";
    return `<li><a href="${hrefFrom(current.address, article.address)}"${here}>${toEscaped(text)}</a>${inside}</li>`;
  });
  return `<h2>${toEscaped(title)}</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
}

/** The headings of the page that is shown. */
function toInside({ headings }) {
  const items = headings
    .filter(({ depth }) => depth === 2)
    .map(({ id, text }) => `<li><a href="#${id}">${toEscaped(text)}</a></li>`);
  return items.length > 1 ? `\n<ul>\n${items.join("\n")}\n</ul>\n` : "";
}
