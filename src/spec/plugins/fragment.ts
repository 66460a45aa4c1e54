import { Ajv } from "ajv";
import type { Validator } from "../check.ts";
import type { Schema } from "../written-schema.ts";
import type { Fault } from "./inspect.ts";
import type { PluginSchema } from "./plugin.ts";

/** What imgspec itself does for each step of a plugin. As in schemas/fragments.json (a test holds it). */
export const ownKeys: { readonly timeout: Schema; readonly retries: Schema } = {
  timeout: {
    type: "string",
    pattern: "^[1-9][0-9]{0,5}[smh]$",
    patternErrorMessage: 'must be a duration such as "90s", "10m" or "1h"',
    description: "How long the step may take.",
    default: "1h",
    examples: ["90s", "10m", "1h"],
  },
  retries: {
    type: "integer",
    minimum: 0,
    maximum: 20,
    description: "How often to try again when it fails.",
    default: 0,
    examples: [2],
  },
};

/** A plugin's schema of the options of a step with what imgspec adds, and how values are held against it. */
export type Fragment = { readonly schema: Schema; readonly validate: Validator };

/** Compiled here and now, and so only where a spec names a plugin. */
export function toFragment(kind: string, written: PluginSchema): Fragment | Fault {
  const what = `is wrong: the schema of its provisioner "${kind}"`;
  const own = written["properties"] as Schema["properties"];
  if (written["type"] !== "object") return { message: `${what} is not for a map`, hint: 'type: "object"' };
  const taken = Object.keys(ownKeys).find((key) => own && Object.hasOwn(own, key));
  if (taken) return { message: `${what} has "${taken}", which imgspec adds itself`, hint: "leave it out" };
  const strange = [...JSON.stringify(written).matchAll(/"\$ref":"([^"]*)"/g)]
    .map(([, reference = ""]) => reference)
    .find((reference) => !/^#\/definitions\/[^/]+$/.test(reference));
  if (strange !== undefined) {
    return {
      message: `${what} refers to "${strange}"`,
      hint: "it may refer to #/definitions/NAME of its own",
    };
  }
  if (hasSecretOther(written)) {
    return { message: `${what} has "sensitive" on what is no text`, hint: 'type: "string"' };
  }
  const schema: Schema = { additionalProperties: false, ...written, properties: { ...own, ...ownKeys } };
  try {
    return { schema, validate: newAjv().compile(schema) as Validator };
  } catch (error) {
    return { message: `${what} is no JSON Schema: ${(error as Error).message}` };
  }
}

/** A sensitive variable gives a text, wherever it stands. */
function hasSecretOther(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasSecretOther);
  if (typeof schema !== "object" || schema === null) return false;
  const { sensitive, type } = schema as { readonly sensitive?: unknown; readonly type?: unknown };
  if (sensitive === true && type !== "string") return true;
  return Object.values(schema).some(hasSecretOther);
}

function newAjv(): Ajv {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    useDefaults: true,
  });
  for (const word of ["sensitive", "patternErrorMessage", ...forEditors]) ajv.addKeyword(word);
  return ajv;
}

const forEditors = ["markdownDescription", "enumDescriptions", "deprecationMessage", "defaultSnippets"];
