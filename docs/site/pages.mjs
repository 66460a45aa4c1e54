import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository, whose pages and files are named by their paths in it: `docs/spec.md`. */
const root = fileURLToPath(new URL("../..", import.meta.url));

/** The page that the others are found from; its lists of links are the navigation. */
export const indexPage = "docs/README.md";

/** Every page of the site. Other Markdown that they link to is handed on as it is. */
export const pages = [".", "docs", "bench"].flatMap(markdownIn).sort();

function markdownIn(folder) {
  return readdirSync(join(root, folder), { recursive: folder !== ".", encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => normalize(join(folder, name)));
}

export function read(path) {
  return readFileSync(join(root, path));
}

/** Where a page or file of the repository is in the site. */
export function addressOf(path) {
  if (path === indexPage) return "index.html";
  const place = path.startsWith("docs/") ? path.slice("docs/".length) : `project/${path}`;
  return pages.includes(path) ? place.replace(/\.md$/, ".html") : place;
}

/**
 * What a link of a page leads to: `null` for what is elsewhere, else the path in the repository and the heading.
 * Throws for what is not there.
 */
export function targetOf(link, page) {
  if (/^[a-z]+:/.test(link)) return null;
  const [file, heading = ""] = link.split("#");
  const named = file === "" ? page : normalize(join(dirname(page), decodeURI(file))).replace(/\/$/, "");
  const path =
    existsSync(join(root, named)) && statSync(join(root, named)).isDirectory() ? `${named}/README.md` : named;
  if (path.startsWith("..") || !existsSync(join(root, path)))
    throw new Error(`${page} links to ${link}, which is not there`);
  return { path, heading };
}

/** A link from one place of the site to another. */
export function hrefFrom(address, to, heading = "") {
  const way = address === to && heading !== "" ? "" : relative(dirname(address), to);
  return heading === "" ? way : `${way}#${heading}`;
}
