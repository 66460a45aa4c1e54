import type { ScalarNode } from "../document/node.ts";
import { lower, type Scope } from "./hcl/lower.ts";
import { literalOf, toNode } from "./hcl/lowered.ts";
import type { Block, Body, Expression } from "./hcl/syntax.ts";
import type { Leftovers } from "./leftovers.ts";
import type { TemplateVariable } from "./template.ts";

type Type = TemplateVariable["type"];

/** The `variable` blocks of a template in HCL2. */
export function toHclVariables(
  blocks: readonly Block[],
  scope: Scope,
  reasons: Map<ScalarNode, string>,
  leftovers: Leftovers,
): ReadonlyMap<string, TemplateVariable> {
  return new Map(
    blocks.map(({ labels: [name = ""], place, body }) => {
      for (const { type, place: at } of body.blocks) {
        const hint = `give the variable a pattern or an enum`;
        leftovers.add(
          at,
          `${type} of variable ${name}`,
          "imgspec checks variables by pattern and enum",
          hint,
        );
      }
      return [name, toVariable(place, body, scope, reasons)];
    }),
  );
}

function toVariable(
  place: Block["place"],
  body: Body,
  scope: Scope,
  reasons: Map<ScalarNode, string>,
): TemplateVariable {
  const value = attributeOf(body, "default");
  const environment = value?.kind === "call" && value.name === "env" ? value.given[0] : undefined;
  const sensitive = attributeOf(body, "sensitive");
  const description = attributeOf(body, "description");
  const isNull = value?.kind === "literal" && value.value === null;
  return {
    place,
    default: value && !isNull && !environment ? toNode(lower(value, scope), value.place, reasons) : undefined,
    environment: environment && literalOf(lower(environment, scope)),
    description: description && literalOf(lower(description, scope)),
    type: typeOf(body),
    sensitive: sensitive?.kind === "literal" && sensitive.value === true,
  };
}

const types: Readonly<Record<string, Type>> = {
  string: "string",
  number: "number",
  bool: "boolean",
  list: "list",
  set: "list",
  tuple: "list",
  map: "map",
  object: "map",
};

/** What a variable is: what is written, or else what its default is. */
export function typeOf(body: Body): Type {
  const type = attributeOf(body, "type");
  if (type?.kind === "name" || type?.kind === "call") return types[type.name];
  const kind = attributeOf(body, "default");
  if (kind?.kind === "literal")
    return typeof kind.value === "number" ? "number" : kind.value === null ? "string" : "boolean";
  if (kind?.kind === "list") return "list";
  return kind?.kind === "object" ? "map" : "string";
}

function attributeOf(body: Body, name: string): Expression | undefined {
  return body.attributes.find((attribute) => attribute.name === name)?.value;
}
