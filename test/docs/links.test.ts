import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { pages, proseOf, root, textOf } from "./pages.ts";

test("every link between files leads to a file, and to a heading of it", () => {
  const links = pages().flatMap(linksOf);
  expect(links.length).toBeGreaterThan(20);
  expect(links.filter((link) => !leadsSomewhere(link)).map(({ page, to }) => `${page} -> ${to}`)).toEqual([]);
});

test("every page of docs is reached from README.md", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const { path } of linksOf(page)) if (path.endsWith(".md")) reached.add(path);
  }
  const lost = pages().filter((page) => /^docs\/(?!decisions\/)/.test(page) && !reached.has(page));
  expect(lost).toEqual([]);
});

type Link = { readonly page: string; readonly to: string; readonly path: string; readonly heading: string };

function linksOf(page: string): readonly Link[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, to = ""]) => to)
    .filter((to) => !/^[a-z]+:/.test(to))
    .map((to) => {
      const [file = "", heading = ""] = to.split("#");
      return { page, to, heading, path: file === "" ? page : normalize(join(dirname(page), file)) };
    });
}

function leadsSomewhere({ path, heading }: Link): boolean {
  if (!existsSync(join(root, path))) return false;
  return heading === "" || headingsOf(path).includes(heading);
}

/** As GitHub makes anchors of headings. */
function headingsOf(page: string): readonly string[] {
  const prose = textOf(page).replaceAll(/^```[\s\S]*?^```$/gm, "");
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, "")
      .replaceAll(" ", "-"),
  );
}
