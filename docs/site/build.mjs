// Writes the pages of docs as a site that needs no server and no network: `npm run site [FOLDER]`.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { toArticle } from "./article.mjs";
import { toHtml, toNavigation } from "./layout.mjs";
import { addressOf, indexPage, pages, read } from "./pages.mjs";

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL("../../site", import.meta.url)));

const articles = pages.map(toArticle);
const navigation = toNavigation(articles, read(indexPage).toString("utf8"));
checkHeadings();

rmSync(folder, { recursive: true, force: true });
for (const article of articles) write(article.address, toHtml(article, navigation));
for (const path of files()) write(addressOf(path), read(path));
write("assets/search-index.js", `const searchIndex = ${JSON.stringify(toIndex())};\n`);
for (const name of ["style.css", "search.js"])
  cpSync(new URL(`assets/${name}`, import.meta.url), join(folder, "assets", name));

function write(address, content) {
  mkdirSync(dirname(join(folder, address)), { recursive: true });
  writeFileSync(join(folder, address), content);
}

function checkHeadings() {
  const known = new Map(
    articles.map(({ page, headings, keys }) => [page, new Set([...headings, ...keys].map(({ id }) => id))]),
  );
  for (const { page, links } of articles)
    for (const { path, heading } of links)
      if (heading !== "" && !known.get(path)?.has(heading))
        throw new Error(`${page} links to ${path}#${heading}, which has no such heading`);
}

/** What the pages show or link to besides each other. */
function files() {
  const linked = articles.flatMap(({ links }) => links.map(({ path }) => path));
  return new Set(linked.filter((path) => !pages.includes(path)));
}

/** What can be searched: `[text, title of its page, address]`. */
function toIndex() {
  return articles.flatMap(({ title, address, headings, keys }) => [
    ...headings.map(({ depth, id, text }) => [text, title, depth === 1 ? address : `${address}#${id}`]),
    ...keys.map(({ id, text }) => [text, title, `${address}#${id}`]),
  ]);
}
