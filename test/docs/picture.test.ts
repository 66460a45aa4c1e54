import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SaxesParser } from "saxes";
import { expect, test } from "vitest";
import { root } from "./pages.ts";

const { toSvg } = (await import(/* @vite-ignore */ pathToFileURL(join(root, "docs/picture.mjs")).href)) as {
  toSvg(capture: string, title: string): string;
};

test("the picture of a build is an image that a browser can read, without scripts, links and fonts", () => {
  const svg = readFileSync(join(root, "docs/build.svg"), "utf8");
  expect(textsOf(svg).join(" ")).toContain("Bundle the root volume");
  expect(svg).not.toMatch(/<script|href=|url\(|@font-face/);
  expect(svg.length).toBeLessThan(20_000);
});

test("every word of a terminal is in its picture, at its column and in its colour", () => {
  const svg = toSvg("\x1b[32m✔\x1b[39m a <b> & c\n  \x1b[2mdim\x1b[0m  plain\n\n", "t & t");
  expect(textsOf(svg)).toEqual(["t & t", "t & t", "✔", "a <b> & c", "dim", "plain"]);
  expect(svg).toMatch(/<text x="16" y="48" fill="#7ee787">✔/);
  expect(svg).toMatch(/<text x="74.8" y="67" fill="#e6edf3" [^>]*>plain/);
});

test("a bar is drawn and not written, so that it has no gaps in any font", () => {
  const svg = toSvg("██░░  50 %", "bar");
  expect(textsOf(svg).join("")).not.toMatch(/[█░]/);
  expect([...svg.matchAll(/width="16.8" height="11"/g)].length).toBe(2);
});

/** The texts of a document; throws when it is not well-formed. */
function textsOf(svg: string): readonly string[] {
  const texts: string[] = [];
  let open = "";
  const parser = new SaxesParser();
  parser.on("opentag", ({ name }) => {
    open = name;
  });
  parser.on("text", (text) => {
    if (["title", "text"].includes(open) && text.trim() !== "") texts.push(text);
  });
  parser.on("error", (error) => {
    throw error;
  });
  parser.write(svg).close();
  return texts;
}
