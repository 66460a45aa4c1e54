import { readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

/** `module`: absolute path; `version`: of the package, null where there is none. */
export type Located = { readonly module: string; readonly version: string | null };

export type Missing = { readonly message: string; readonly hint: string };

/**
 * The file that a plugin is loaded from. A reference that begins with `./`, `../` or `/` is a path, relative to the file
 * `from` that has it; any other is a package, with or without a path inside, searched from `directory` up.
 */
export function locate(reference: string, from: string, directory: string): Located | Missing {
  if (/^\.{0,2}\//.test(reference)) return toFile(reference, resolve(dirname(from), reference));
  const [, name = "", inside = ""] = /^((?:@[^/]+\/)?[^/]+)(.*)$/.exec(reference) ?? [];
  const require = createRequire(join(directory, "image.yaml"));
  const folder = require.resolve.paths(reference)?.find((path) => isFile(join(path, name, "package.json")));
  if (folder === undefined) {
    const hint = `npm install ${name} in the folder of the spec, or write ./ before the path of a file`;
    return { message: `there is no package "${name}"`, hint };
  }
  const home = realpathSync(join(folder, name));
  try {
    const { version = null, exports } = JSON.parse(
      readFileSync(join(home, "package.json"), "utf8"),
    ) as Manifest;
    const target = toTarget(exports, `.${inside}`);
    const module = target === undefined ? require.resolve(reference) : join(home, target);
    if (isFile(module)) return { module, version };
  } catch {
    // Its package.json cannot be read, or leads to nothing: either way there is nothing to load.
  }
  const hint = "what its package.json has as exports or main must be there; was it built?";
  return { message: `the package "${name}" has no module ${inside || "to load"}`, hint };
}

function toFile(reference: string, module: string): Located | Missing {
  if (isFile(module)) return { module, version: null };
  const hint = "name a JavaScript file; paths are relative to the file that names them";
  return { message: `the plugin "${reference}" is no file`, hint };
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

type Manifest = { readonly version?: string; readonly exports?: Exports };
type Exports = string | null | readonly Exports[] | { readonly [key: string]: Exports };

/** `require` would not see what a package has for `import` alone. */
const conditions = ["node", "import", "module-sync", "default"];

function toTarget(exports: Exports | undefined, path: string): string | undefined {
  if (exports === undefined || exports === null) return undefined;
  const hasPaths = typeof exports === "object" && Object.keys(exports).some((key) => key.startsWith("."));
  // A cast from what was asked just now.
  if (hasPaths) return chosen((exports as { readonly [key: string]: Exports })[path]);
  return path === "." ? chosen(exports) : undefined;
}

function chosen(target: Exports | undefined): string | undefined {
  if (typeof target === "string") return target;
  if (target === undefined || target === null) return undefined;
  const inner = Array.isArray(target)
    ? (target as readonly Exports[])
    : Object.entries(target).flatMap(([key, one]) => (conditions.includes(key) ? [one] : []));
  for (const one of inner) {
    const found = chosen(one);
    if (found !== undefined) return found;
  }
  return undefined;
}
