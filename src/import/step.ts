import type { PlainValue } from "../document/node.ts";
import { type Section, withoutAbsent } from "./launch-sections.ts";
import type { Options } from "./options.ts";
import { isSecretName } from "./secrets.ts";

/** A step of a spec. */
export type Step = { [key: string]: PlainValue };

/** A map with one key alone is written as its value, where the language has it so. */
export function toShort(section: Section, key: string): PlainValue {
  const map = withoutAbsent(section);
  return Object.keys(map).length === 1 && map[key] !== undefined ? map[key] : map;
}

/** The values with each that looks like a secret made a sensitive variable, which is told. */
export function withoutSecrets(values: { readonly [name: string]: PlainValue }, options: Options): Step {
  const kept: Step = { ...values };
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      kept[name] = withoutSecrets(value, options);
      continue;
    }
    if (!isSecretName(name) || value === "" || String(value).includes("${{")) continue;
    const hint = `set IMGSPEC_VAR_${name}`;
    options.leave(`the value of ${name}`, ["the spec holds no secrets, but a sensitive variable", hint]);
    kept[name] = `\${{ vars.${name} }}`;
    options.reading.passwords.add(name);
  }
  return kept;
}
