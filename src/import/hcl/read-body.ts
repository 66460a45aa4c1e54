import type { Text } from "../../document/text.ts";
import { parseHclJson } from "./json.ts";
import { parseHcl } from "./parse.ts";
import type { Body } from "./syntax.ts";

/** Parses HCL2 in the syntax that the name of its file says. Throws `spec-invalid` with the place of the first mistake. */
export function readBody(text: Text): Body {
  return text.path.endsWith(".json") ? parseHclJson(text) : parseHcl(text);
}
