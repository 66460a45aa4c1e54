import { type Node, type PlainValue, scalarsOf, toValue } from "../document/node.ts";
import { withoutAbsent } from "./launch-sections.ts";
import type { Reading } from "./options.ts";
import { toVariableName } from "./pieces.ts";
import { isSecretName } from "./secrets.ts";
import type { Template, TemplateVariable } from "./template.ts";

const accessKey = /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/;

/** Declares the variables that the spec uses. Of those that hold secrets the values are not written. */
export function toVariables(template: Template, reading: Reading): { [key: string]: PlainValue } {
  const declared: { [key: string]: PlainValue } = {};
  const { used } = reading.world;
  for (const [name, variable] of template.variables) {
    if (used.variables.has(toVariableName(name)))
      declared[toVariableName(name)] = toDeclaration(name, variable, reading);
    else {
      const hint = "if a script reads it, hand it over in the env of the step";
      reading.leftovers.add(variable.place, `variable ${name}`, "nothing in the spec uses it", hint);
    }
  }
  // A password that the template itself held.
  for (const name of reading.passwords) declared[name] ??= { sensitive: true };
  return declared;
}

function toDeclaration(name: string, variable: TemplateVariable, reading: Reading): PlainValue {
  const { place, environment, description, type } = variable;
  const value = variable.default && toValue(variable.default);
  const own = toVariableName(name);
  if (environment !== undefined) {
    const hint = `set IMGSPEC_VAR_${own} instead, or say --var ${own}="$${environment}"`;
    reading.leftovers.add(place, `variable ${name}`, `Packer took it from ${environment}`, hint);
  }
  if (isSensitive(name, variable, reading)) {
    if (value !== undefined && value !== "") {
      const hint = `set IMGSPEC_VAR_${own}`;
      reading.leftovers.add(place, `the default of variable ${name}`, "the spec holds no secrets", hint);
    }
    return withoutAbsent({ description, sensitive: true });
  }
  if (isComputed(variable.default)) {
    const hint = `give it a default that is literal, or set it with --var ${own}=…`;
    reading.leftovers.add(place, `the default of variable ${name}`, "it is computed", hint);
    return withoutAbsent({ description, type });
  }
  return withoutAbsent({
    description:
      description ?? (environment === undefined ? undefined : `Packer took it from ${environment}`),
    // What has a default needs no type.
    type: type === "string" || (value !== undefined && value !== null) ? undefined : type,
    default: value ?? undefined,
  });
}

function isSensitive(name: string, variable: TemplateVariable, { passwords }: Reading): boolean {
  const value = variable.default && JSON.stringify(toValue(variable.default));
  return (
    variable.sensitive ||
    passwords.has(toVariableName(name)) ||
    isSecretName(name) ||
    accessKey.test(value ?? "")
  );
}

function isComputed(node: Node | undefined): boolean {
  return [...(node ? scalarsOf(node) : [])].some(
    ([{ broken, value }]) => broken === true || (typeof value === "string" && value.includes("{{")),
  );
}
