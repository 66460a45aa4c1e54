import { SaxesParser } from "saxes";
import { Problem } from "../problem.ts";

/** An element, and where it begins; line and column count from 1. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own text, without the space around it. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
};

/**
 * The elements of an XML text. What is not well-formed, or has a DTD (and with it entities), is the Problem
 * `bundle-invalid` with its line and column.
 */
export function toXmlTree(text: string): XmlElement {
  const parser = new SaxesParser();
  const open: OpenElement[] = [];
  let root: XmlElement | undefined;
  const refuse = (what: string): never => {
    throw xmlProblem(what, { line: parser.line, column: Math.max(1, parser.column) });
  };

  parser.on("error", (error) => refuse(error.message.replace(/^[\d:]+ */, "").replace(/\.$/, "")));
  parser.on("doctype", () => refuse("a DTD has no place in a manifest"));
  parser.on("opentagstart", (tag) => {
    if (open.length >= deepest) refuse(`<${tag.name}> is nested too deep`);
    // The parser stands one character behind the name.
    const column = Math.max(1, parser.column - tag.name.length - 1);
    open.push({ name: tag.name, attributes: new Map(), children: [], text: "", line: parser.line, column });
  });
  parser.on("attribute", ({ name, value }) => {
    const element = open.at(-1);
    element?.attributes.set(name, value);
  });
  for (const event of ["text", "cdata"] as const) {
    parser.on(event, (chunk) => {
      const element = open.at(-1);
      if (element) element.text += chunk;
    });
  }
  parser.on("closetag", () => {
    const element = open.pop();
    if (!element) return;
    element.text = element.text.trim();
    const parent = open.at(-1);
    if (parent) parent.children.push(element);
    else root = element;
  });

  parser.write(text).close();
  return root ?? refuse("the file holds no element");
}

/** The Problem of something wrong at a place in a manifest. */
export function xmlProblem(what: string, place: { line: number; column: number }, cause?: unknown): Problem {
  return new Problem("bundle-invalid", `manifest, line ${place.line}, column ${place.column}: ${what}`, {
    cause,
  });
}

/** A manifest has five levels. */
const deepest = 32;

type OpenElement = {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
  readonly line: number;
  readonly column: number;
};
