import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root: string = resolve(import.meta.dirname, "../..");

/** A fenced block of a page. `run`: an HTML comment right above says that it is to be run, in an example or in nothing. */
export type Block = {
  readonly language: string;
  readonly text: string;
  /** `docs/spec.md:17`. */
  readonly place: string;
  readonly run: { readonly example: string | null } | null;
};

/** Every Markdown page that is for people: those at the top, and all under docs. */
export function pages(): readonly string[] {
  const top = readdirSync(root).filter((name) => name.endsWith(".md"));
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name));
  return [...top, ...docs].sort();
}

export function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export function blocks(language: string): readonly Block[] {
  return pages()
    .flatMap((page) => blocksOf(page, textOf(page)))
    .filter((block) => block.language === language);
}

function blocksOf(page: string, text: string): readonly Block[] {
  const fence = /(?:^<!-- run(?: in ([\w-]+))? -->\n+)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fence)].map((match) => ({
    language: match[2] ?? "",
    text: match[3] ?? "",
    place: `${page}:${text.slice(0, match.index).split("\n").length}`,
    run: match[0].startsWith("<!--") ? { example: match[1] ?? null } : null,
  }));
}

/** Without what stands in fences or in code: links and headings there are none. */
export function proseOf(page: string): string {
  return textOf(page)
    .replaceAll(/^```[\s\S]*?^```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()#]/g, ""));
}
