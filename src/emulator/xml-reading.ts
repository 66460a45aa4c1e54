import { SaxesParser } from "saxes";

/** An element that was read, by local name; text is that of the element itself, without its children's. */
export type XmlElement = {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
};

type Open = { name: string; text: string; children: Open[] };

/** Reads a document; `undefined` when it is not well formed. A DTD is refused: nothing AWS takes has one. */
export function readXml(text: string): XmlElement | undefined {
  const parser = new SaxesParser({ xmlns: false });
  const document: Open = { name: "", text: "", children: [] };
  const open: Open[] = [document];
  let broken = false;
  parser.on("error", () => {
    broken = true;
  });
  parser.on("doctype", () => {
    broken = true;
  });
  parser.on("opentag", ({ name }) => {
    const element: Open = { name: name.slice(name.indexOf(":") + 1), text: "", children: [] };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.on("text", (part) => {
    const element = open.at(-1);
    if (element) element.text += part;
  });
  parser.write(text).close();
  return broken ? undefined : document.children[0];
}

/** The first child of this name. */
export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

/** All children of this name. */
export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

/** The text of the first child of this name. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  return childOf(element, name)?.text;
}
