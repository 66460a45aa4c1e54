import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pages, root } from "./pages.ts";
import { filesOf, misplaced, readSite, type SitePage } from "./site-pages.ts";

let folder: string;
let site: readonly SitePage[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "imgspec-site-"));
  await promisify(execFile)(process.execPath, [join(root, "docs/site/build.mjs"), folder]);
  site = readSite(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test("every page of docs is in the site", () => {
  expect(site.length).toBeGreaterThan(pages().length - 1);
});

test("every page is sound HTML: elements where they may stand, one title, and headings of which none is left out", () => {
  for (const page of site) {
    const { address, elements } = page;
    expect(misplaced(page), address).toEqual([]);
    for (const one of ["title", "main", "h1", "search", "nav"])
      expect(
        elements.filter(({ name }) => name === one),
        `${one} of ${address}`,
      ).toHaveLength(1);
    const depths = elements
      .filter(({ name, around }) => /^h\d$/.test(name) && around.includes("main"))
      .map(({ name }) => Number(name.slice(1)));
    expect(
      depths.filter((depth, index) => depth > (depths[index - 1] ?? 0) + 1),
      address,
    ).toEqual([]);
    expect(elements[0]).toMatchObject({ name: "html", attributes: { lang: "en" } });
    expect(elements.find(({ name }) => name === "a")?.attributes["href"]).toBe("#content");
  }
});

test("every id is there once, and every link leads to a file and an id", () => {
  const files = new Set(filesOf(folder));
  const ids = new Map(site.map((page) => [page.address, idsOf(page)]));
  for (const [address, all] of ids) expect(new Set(all).size, address).toBe(all.length);
  const links = site.flatMap(linksOf);
  expect(links.length).toBeGreaterThan(500);
  const broken = links.filter(
    ({ path, id }) => !files.has(path) || (id !== "" && !ids.get(path)?.includes(id)),
  );
  expect(broken).toEqual([]);
});

test("every page is reached from the index", () => {
  const reached = new Set(["index.html"]);
  for (const address of reached) {
    const page = site.find((each) => each.address === address);
    for (const { path } of page ? linksOf(page) : []) if (path.endsWith(".html")) reached.add(path);
  }
  expect(site.map(({ address }) => address).filter((address) => !reached.has(address))).toEqual([]);
});

test("nothing is loaded from elsewhere", () => {
  const loaded = site.flatMap(({ elements }) =>
    elements.flatMap(
      ({ name, attributes: { src, href } }) => src ?? (name === "link" ? href : undefined) ?? [],
    ),
  );
  expect(loaded.length).toBeGreaterThan(site.length * 3);
  expect(loaded.filter((address) => /^(?:[a-z]+:|\/)/.test(address))).toEqual([]);
  for (const file of filesOf(join(folder, "assets"))) {
    const text = readFileSync(join(folder, "assets", file), "utf8");
    if (file !== "search-index.js") expect(text, file).not.toMatch(/https?:|url\(|@import|fetch\(|import\(/);
  }
});

test("headings, keys, options and codes can be searched for", () => {
  const text = readFileSync(join(folder, "assets/search-index.js"), "utf8");
  const index = JSON.parse(text.replace(/^const searchIndex = |;\n$/g, "")) as [string, string, string][];
  expect(index).toContainEqual(["bundle.at", "Keys of an image spec", "reference/spec.html#bundle.at"]);
  const words = index.map(([word]) => word);
  for (const word of ["imgspec build --emulate", "range-wrong", "bucket-unusable", "Your first image"])
    expect(words).toContain(word);
});

function idsOf({ elements }: SitePage): readonly string[] {
  return elements.flatMap(({ attributes }) => attributes["id"] ?? []);
}

type SiteLink = { readonly from: string; readonly path: string; readonly id: string };

function linksOf({ address, elements }: SitePage): readonly SiteLink[] {
  return elements.flatMap(({ attributes: { href, src } }) => {
    const link = href ?? src;
    if (link === undefined || /^[a-z]+:/.test(link)) return [];
    const [file = "", id = ""] = link.split("#");
    return [{ from: address, path: file === "" ? address : normalize(join(dirname(address), file)), id }];
  });
}
