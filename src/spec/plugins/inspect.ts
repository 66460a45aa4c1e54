import { nearest } from "../../util/nearest.ts";
import type { Plugin, Provisioner } from "./plugin.ts";

/** What is wrong with a plugin, in words that follow "the plugin NAME". */
export type Fault = { readonly message: string; readonly hint?: string };

const interfaceVersion = 1;
const form = "export default { imgspec: 1, name: …, provisioners: { … } }";

/** The plugin that a module exports. */
export function toPlugin(module: object): Plugin | Fault {
  const plugin = defaultOf(module);
  if (plugin === undefined) return { message: "has no default export", hint: form };
  if (!isMap(plugin)) return { message: "exports no object", hint: form };
  const { imgspec: version, name, provisioners } = plugin;
  if (version === undefined)
    return { message: "does not say for which version of plugins it is", hint: form };
  if (version !== interfaceVersion) {
    const message = `is for version ${JSON.stringify(version)} of plugins, and this imgspec knows ${interfaceVersion}`;
    return { message, hint: "use releases of the plugin and of imgspec that fit together" };
  }
  const unknown = unknownKey(plugin, ["imgspec", "name", "provisioners"]);
  if (unknown) return unknown;
  if (typeof name !== "string" || !/^(@[\w.-]+\/)?[\w.-]{1,63}$/.test(name)) {
    return { message: 'needs a name of letters, digits, ".", "_" and "-"', hint: 'such as name: "greeting"' };
  }
  if (!isMap(provisioners) || Object.keys(provisioners).length === 0) {
    return { message: "has no provisioners", hint: form };
  }
  for (const [kind, provisioner] of Object.entries(provisioners)) {
    const fault = faultOf(kind, provisioner);
    if (fault) return fault;
  }
  // Everything was looked at just now.
  return plugin as unknown as Plugin;
}

/** What was compiled to CommonJS has its default export one level deeper. */
function defaultOf(module: object): unknown {
  const { default: outer } = module as { default?: unknown };
  return isMap(outer) && outer["__esModule"] === true ? outer["default"] : outer;
}

function faultOf(kind: string, provisioner: unknown): Fault | undefined {
  const what = `its provisioner "${kind}"`;
  if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(kind)) {
    return {
      message: `has a provisioner "${kind}", which cannot be a key`,
      hint: "write it like apacheModule",
    };
  }
  if (!isMap(provisioner)) return { message: `is wrong: ${what} is no object` };
  const unknown = unknownKey(provisioner, ["schema", "describe", "check", "run"]);
  if (unknown) return { ...unknown, message: `is wrong: ${what} ${unknown.message}` };
  if (!isMap(provisioner["schema"])) return { message: `is wrong: ${what} has no schema` };
  for (const key of ["run", "describe", "check"] satisfies (keyof Provisioner)[]) {
    const isMissing = provisioner[key] === undefined;
    if (key === "run" && isMissing) return { message: `is wrong: ${what} has no run` };
    if (!isMissing && typeof provisioner[key] !== "function")
      return { message: `is wrong: ${key} of ${what} is no function` };
  }
  return undefined;
}

function unknownKey(map: object, known: readonly string[]): Fault | undefined {
  const unknown = Object.keys(map).find((key) => !known.includes(key));
  if (unknown === undefined) return undefined;
  const meant = nearest(unknown, known);
  const hint = meant ? `did you mean "${meant}"?` : `the keys are ${known.join(", ")}`;
  return { message: `has a key "${unknown}" that plugins do not have`, hint };
}

function isMap(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
