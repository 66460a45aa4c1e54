import type { ScalarNode } from "../document/node.ts";
import type { Text } from "../document/text.ts";
import { nearest } from "../util/nearest.ts";
import { lower } from "./hcl/lower.ts";
import { toNode } from "./hcl/lowered.ts";
import { readBody } from "./hcl/read-body.ts";
import type { Template } from "./template.ts";

/** Far more than a file of variables needs. */
const maxValues = 10_000;

/**
 * The template with what files of variables (`*.pkrvars.hcl`, `*.json`) set as defaults; a later file wins. Throws
 * `spec-invalid` with the place of a mistake in one.
 */
export function withVarFiles(template: Template, texts: readonly Text[]): Template {
  const variables = new Map(template.variables);
  const reasons = new Map<ScalarNode, string>(template.reasons);
  const scope = { variables: new Map(), locals: new Map(), builder: "", budget: { left: maxValues } };
  for (const { name, place, value } of texts.flatMap((text) => readBody(text).attributes)) {
    const declared = variables.get(name);
    if (declared) {
      const isNull = value.kind === "literal" && value.value === null;
      const node = isNull ? undefined : toNode(lower(value, scope), value.place, reasons);
      variables.set(name, { ...declared, default: node, environment: undefined });
    } else {
      const meant = nearest(name, [...variables.keys()]);
      const hint = meant === undefined ? undefined : `did you mean ${meant}?`;
      template.leftovers.add(place, `variable ${name}`, "the template declares no such variable", hint);
    }
  }
  return { ...template, variables, reasons };
}
