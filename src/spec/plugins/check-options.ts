import type { ErrorObject } from "ajv";
import { type Node, nodeAt, type Path, type PlainValue } from "../../document/node.ts";
import { type Refusal, toFinding, toLabel, toPath, withoutRepeats } from "../check.ts";
import type { Fragment } from "./fragment.ts";

/** Holds options against a plugin's schema, and fills in its defaults. `at`: where they stand in `root`. */
export function checkOptions(
  { validate }: Fragment,
  options: PlainValue,
  at: Path,
  root: Node,
): readonly Refusal[] {
  if (validate(options)) return [];
  return withoutRepeats((validate.errors ?? []).flatMap((error) => toRefusal(error, at, root) ?? []));
}

/** Words that imgspec has for its own keys, and that are as right for others. */
const told = new Set([
  ...["additionalProperties", "required", "type", "enum", "pattern", "propertyNames"],
  ...["minimum", "maximum", "maxLength", "uniqueItems"],
]);

function toRefusal(error: ErrorObject, at: Path, root: Node): Refusal | undefined {
  const { keyword, schemaPath } = error;
  // What is wrong in one of several forms says little: that it has none of them is told.
  if (keyword === "if" || /\/(anyOf|oneOf|not|propertyNames)\//.test(schemaPath)) return undefined;
  const instancePath = `${at.map((step) => `/${toPointerPart(step)}`).join("")}${error.instancePath}`;
  const placed = { ...error, instancePath };
  if (told.has(keyword)) return toFinding(placed, root);
  const here = toPath(instancePath, root);
  const node = nodeAt(root, here);
  if (node?.kind === "scalar" && (node.broken || node.secret !== undefined)) return undefined;
  const message = own[keyword]?.(error.schema) ?? error.message;
  return { code: "wrong-value", at: here, message: `${toLabel(here)} ${message}` };
}

const own: Readonly<Record<string, (schema: unknown) => string>> = {
  const: (schema) => `must be ${JSON.stringify(schema)}`,
  anyOf: () => "has none of the forms that it may have",
  oneOf: () => "has none of the forms that it may have, or several",
  not: () => "has a form that it must not have",
};

function toPointerPart(step: string | number): string {
  return String(step).replaceAll("~", "~0").replaceAll("/", "~1");
}
