import { readFileSync } from "node:fs";
import type { Completion } from "../help/language-server.ts";

type Snippet = { readonly label: string };

/** What the published schema says of snippets. */
export const published = JSON.parse(
  readFileSync(new URL("../../schemas/imgspec.v1.schema.json", import.meta.url), "utf8"),
) as {
  readonly defaultSnippets: readonly Snippet[];
  readonly definitions: {
    readonly provision: {
      readonly items: {
        readonly defaultSnippets: readonly Snippet[];
        readonly oneOf: readonly { readonly required: readonly string[] }[];
      };
    };
  };
};

/** A text with a completion in place of ‸, its placeholders in it; its lines indented as that line is, as editors do. */
export function applied(text: string, { textEdit, insertText = "" }: Completion): string {
  const [before = "", after = ""] = text.split("‸");
  const indent = /^ */.exec(before.split("\n").at(-1) ?? "")?.[0] ?? "";
  return `${before}${(textEdit?.newText ?? insertText).replaceAll("\n", `\n${indent}`)}${after}`;
}

/** As an editor leaves it when nothing is typed: of `${1:text}` stays the text, of `\$` the dollar. */
export function filled(snippet: string): string {
  return snippet.replaceAll(/\$\{\d+:((?:\\.|[^\\}])*)\}/g, "$1").replaceAll(/\\([$}\\])/g, "$1");
}
