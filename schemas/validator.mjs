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
function withError(errors, error) {
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

/** Takes out what is there once for each error, and the definitions in the schema itself, which have constants of their own. */
function toShort(code) {
  const push =
    /const (err\d+) = (\{.*\});\nif\(vErrors === null\)\{\nvErrors = \[\1\];\n\}\nelse \{\nvErrors\.push\(\1\);\n\}\n/g;
  return code
    .replace(push, "vErrors = withError(vErrors, $2);\n")
    .replace(/^const (schema\d+) = (\{.*\});$/gm, (line, name, text) => {
      const { definitions, ...own } = JSON.parse(text);
      return definitions === undefined ? line : `const ${name} = ${JSON.stringify(own)};`;
    });
}
