import { basename } from "node:path";
import type { Diagnostic } from "../diagnostic.ts";
import { toYamlText } from "../document/print.ts";
import { type Section, withoutAbsent } from "./launch-sections.ts";
import type { Leftovers } from "./leftovers.ts";

/** A spec as YAML text, and what of its source is not in it. */
export type Imported = { readonly text: string; readonly leftovers: readonly Diagnostic[] };

/** The file: what editors want to know, what is missing, and the sections with a line between them. */
export function toImported(sections: Section, rest: Leftovers, description: string | undefined): Imported {
  const leftovers = rest.list();
  const files = new Set(leftovers.map(({ place }) => place.path));
  const head = [
    "# yaml-language-server: $schema=./imgspec.v1.schema.json",
    ...(description === undefined ? [] : [`# ${onOneLine(description)}`]),
    ...leftovers.map(({ place, message, hint }) => {
      const advice = hint === undefined ? "" : `; ${hint}`;
      const where = files.size > 1 ? `${basename(place.path)} line` : "line";
      return `# not carried over: ${where} ${place.line}: ${onOneLine(message + advice)}`;
    }),
  ];
  const body = toYamlText(withoutAbsent(sections), () => undefined)
    .replaceAll(/\n(?=[A-Za-z])/g, "\n\n")
    .replace("\n\nname:", "\nname:");
  return { text: `${head.join("\n")}\n${body}`, leftovers };
}

function onOneLine(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, " ").trim();
}

/** A name that a spec may have. */
export function toName(text: string): string {
  const name = text.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return name.slice(0, 63) || "image";
}
