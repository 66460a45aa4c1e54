import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

/**
 * Makes one CommonJS file of files of a split bundle that are always loaded together: of `entry` (NAME.js, which becomes
 * NAME.cjs) and all that it imports statically, but what `before` holds. Node takes over a millisecond for each ES module,
 * whatever is in it, and ten for the first. Everything else in the directory is made to import from it. Gives the names
 * of what it and those before it hold.
 */
export async function joinChunks(directory, outputs, entry, options, before = new Set()) {
  const files = new Map(Object.entries(outputs).map(([path, output]) => [basename(path), output]));
  const members = [...closureOf(files, entry)].filter((name) => !before.has(name));
  const joined = entry.replace(/\.js$/, ".cjs");
  const contents = members
    .map((name) => {
      const names = files.get(name).exports.map((exported) => `${exported} as ${aliasOf(name, exported)}`);
      return `export { ${names} } from "./${name}";`;
    })
    .concat(`export * from "./${entry}";`)
    .join("\n");
  await build({
    ...options,
    stdin: { contents, resolveDir: directory },
    bundle: true,
    format: "cjs",
    minify: true,
    outfile: join(directory, joined),
    define: { "import.meta.url": "importMetaUrl" },
    banner: { js: 'const importMetaUrl = require("node:url").pathToFileURL(__filename).href;' },
    plugins: [onlyMembers(members)],
  });
  for (const name of members) for (const file of [name, `${name}.map`]) rmSync(join(directory, file));
  for (const name of readdirSync(directory).filter((file) => /\.c?js$/.test(file))) {
    const path = join(directory, name);
    const text = readFileSync(path, "utf8");
    const changed = members.reduce((code, member) => redirect(code, member, joined), text);
    const loaded = changed.replaceAll(
      `import("./${entry}")`,
      `Promise.resolve().then(() => require("./${joined}"))`,
    );
    if (loaded !== text) writeFileSync(path, loaded);
  }
  return new Set([...before, ...members]);
}

/** Different files have different things of the same name. */
function aliasOf(name, exported) {
  return `${exported}_${name.replace(/\W/g, "_")}`;
}

function closureOf(files, entry, found = new Set()) {
  if (found.has(entry)) return found;
  found.add(entry);
  for (const { path, kind } of files.get(entry).imports) {
    if (kind === "import-statement" && files.has(basename(path))) closureOf(files, basename(path), found);
  }
  return found;
}

function onlyMembers(members) {
  return {
    name: "only-members",
    setup: ({ onResolve }) => {
      onResolve({ filter: /.*/ }, ({ path, kind }) => {
        const isMember = kind === "import-statement" && members.includes(basename(path));
        return isMember ? undefined : { path, external: true };
      });
    },
  };
}

/**
 * Imports of a file that is no more become requires of the one that holds it, under the names that it has there: an import
 * of CommonJS would have Node search all of its text for names. The lines stay.
 */
function redirect(code, name, joined) {
  const statement = new RegExp(`import (\\{[^}]*\\} from )?"\\./${name.replaceAll(".", "\\.")}";`, "g");
  return code.replace(statement, (_, names) => {
    if (names === undefined) return `require("./${joined}");`;
    const clause = names
      .slice(0, -" from ".length)
      .replace(
        /([\w$]+)(?: as ([\w$]+))?(?=,|\s*\})/g,
        (__, imported, as) => `${aliasOf(name, imported)}: ${as ?? imported}`,
      );
    return `const ${clause} = require("./${joined}");`;
  });
}
