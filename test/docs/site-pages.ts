import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SaxesParser } from "saxes";

/** An element of a page, with the names of those around it, outermost first. */
type Element = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly around: readonly string[];
};

/** A page of the site; its address is `reference/cli.html`. */
export type SitePage = { readonly address: string; readonly elements: readonly Element[] };

/** Reads every page of the site in a folder. Throws for one that is not well-formed. */
export function readSite(folder: string): readonly SitePage[] {
  return filesOf(folder)
    .filter((name) => name.endsWith(".html"))
    .map((address) => ({
      address,
      elements: elementsOf(readFileSync(join(folder, address), "utf8"), address),
    }));
}

export function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
}

/** HTML that is XML, too: there every element that is opened is closed, in its order, and every `&` is an entity. */
function elementsOf(html: string, address: string): readonly Element[] {
  const elements: Element[] = [];
  const open: string[] = [];
  const parser = new SaxesParser();
  parser.on("opentag", ({ name, attributes }) => {
    elements.push({ name, attributes, around: [...open] });
    open.push(name);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.on("error", (error) => {
    throw new Error(`${address}: ${error.message}`);
  });
  parser.write(html).close();
  return elements;
}

const blocks = "blockquote div dl footer h1 h2 h3 h4 header hr main nav ol p pre search table ul".split(" ");
const phrasing = "a code del em h1 h2 h3 h4 label p span strong".split(" ");
const inside: Readonly<Record<string, readonly string[]>> = {
  li: ["ul", "ol"],
  tr: ["thead", "tbody"],
  td: ["tr"],
  th: ["tr"],
  thead: ["table"],
  tbody: ["table"],
};
const others = "body br head html img input link meta script small title".split(" ");
const known = new Set([...blocks, ...phrasing, ...Object.keys(inside), ...others]);

/** What HTML does not allow of where an element stands (https://html.spec.whatwg.org/multipage/dom.html#content-models). */
export function misplaced({ elements }: SitePage): readonly string[] {
  return elements.flatMap((element) =>
    laws
      .filter(({ breaks }) => breaks(element, element.around.at(-1) ?? ""))
      .map(({ law }) => `<${element.name}> ${law}`),
  );
}

type Law = { readonly law: string; readonly breaks: (element: Element, parent: string) => boolean };

const laws: readonly Law[] = [
  { law: "is no element that a page has", breaks: ({ name }) => !known.has(name) },
  {
    law: "stands among words",
    breaks: ({ name }, parent) => blocks.includes(name) && phrasing.includes(parent),
  },
  { law: "has another place", breaks: ({ name }, parent) => inside[name]?.includes(parent) === false },
  {
    law: "is no item of a list",
    breaks: ({ name }, parent) => ["ul", "ol"].includes(parent) && name !== "li",
  },
  { law: "is a link in a link", breaks: ({ name, around }) => name === "a" && around.includes("a") },
  {
    law: "has no words for those who cannot see it",
    breaks: ({ name, attributes }) => name === "img" && !attributes["alt"],
  },
  {
    law: "has a style or a script of its own",
    breaks: ({ attributes }) =>
      Object.keys(attributes).some((key) => key === "style" || key.startsWith("on")),
  },
];
