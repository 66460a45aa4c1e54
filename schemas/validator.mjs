import Ajv from "ajv";
import standaloneCode from "ajv/dist/standalone/index.js";
import { toLean } from "./lean.mjs";

/** The module of a validator that is compiled ahead. `complete`: it fills in defaults. */
export function toValidator(schema, name, complete, note) {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    strict: true,
    allowUnionTypes: true,
    strictTypes: false,
    strictRequired: false,
    useDefaults: complete === true,
    // A section of the spec and the same section of a region share one function.
    inlineRefs: false,
    // src/spec/check.ts has its own words.
    messages: false,
    code: { source: true, esm: true, lines: true },
  });
  ajv.addKeyword("patternErrorMessage");
  const validate = ajv.compile(toLean(schema));
  const whole = toShort(toImports(standaloneCode(ajv, validate)));
  const main = /^export default (\w+);?/m.exec(whole)?.[1];
  const code = whole
    .replace('"use strict";', "")
    .replace(/^export const validate = \w+;/m, "")
    .replace(/^export default \w+;?/m, "")
    .trim();
  return `// @ts-nocheck
${note}
import type { ErrorObject } from "ajv";
${code}
function withError(errors, instancePath, schemaPath, keyword, parentSchema, params = {}) {
const error = {instancePath, schemaPath, keyword, params, schema: parentSchema?.[keyword], parentSchema};
if(errors === null) return [error];
errors.push(error);
return errors;
}
export const ${name}: ((value: unknown) => boolean) & { errors?: ErrorObject[] | null } = ${main};
`;
}

/** Ajv writes require() for its helpers, which an ES module does not have. */
function toImports(code) {
  const imports = [];
  const line = /^const (\w+) = require\("([^"]+)"\)((?:\.\w+|\["[^"]+"\])*);$/gm;
  const body = code.replace(line, (_, name, file, rest) => {
    imports.push(`import ${name}Module from "${file.endsWith(".js") ? file : `${file}.js`}";`);
    // Loaders disagree on what the default import of a CommonJS module with a default export is.
    return rest.startsWith(".default")
      ? `const ${name} = (${name}Module.default ?? ${name}Module)${rest.slice(".default".length)};`
      : `const ${name} = ${name}Module${rest};`;
  });
  if (body.includes("require(")) throw new Error("a require() is left in the validator");
  return `${imports.join("\n")}\n${body}`;
}

/**
 * Leaves of each error what src/spec/check.ts reads of it, and out of the schema itself its definitions, which are constants
 * of their own: most of a validator is errors, and most of the time until a spec is checked goes into reading them.
 */
function toShort(code) {
  const push =
    /const (err\d+) = (\{.*\});\nif\(vErrors === null\)\{\nvErrors = \[\1\];\n\}\nelse \{\nvErrors\.push\(\1\);\n\}\n/g;
  return code
    .replace(push, (_, __, error) => `vErrors = withError(${["vErrors", ...toArguments(error)].join()});\n`)
    .replace(/^const (schema\d+) = (\{.*\});$/gm, (line, name, text) => {
      const { definitions, ...own } = JSON.parse(text);
      return definitions === undefined ? line : `const ${name} = ${JSON.stringify(own)};`;
    });
}

const readParams = ["additionalProperties", "required", "oneOf", "propertyNames", "uniqueItems"];

/** What withError() takes, of the text of an error. */
function toArguments(error) {
  // Of what an `if` finds only the number is looked at.
  if (error === "{}") return [];
  const match =
    /^\{instancePath(?::(.*?))?,schemaPath:("[^"]*"|[^,]*),keyword:"(\w+)",params:(\{.*\}),schema:.*,parentSchema:([^,]*),data/.exec(
      error,
    );
  if (!match) throw new Error(`an error of another form: ${error}`);
  const [, at = "instancePath", path, keyword, params, parent] = match;
  const isInside = /\/(anyOf|oneOf|propertyNames)\//.test(path);
  const last = readParams.includes(keyword) ? [params] : [];
  return [at, isInside ? path : '""', `"${keyword}"`, parent, ...last];
}
