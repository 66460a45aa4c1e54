// Writes the JavaScript of dist/: bin.cjs, and lib/ with a file for each part of the program that is loaded on its own.
// Small libraries are bundled with it, since a start that reads 150 files takes twice the time (bench/start-up.md).
// The declarations are tsc's (`npm run build` does both).
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { build, transform } from "esbuild";
import { joinChunks } from "./join-chunks.mjs";

process.chdir(import.meta.dirname);
const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));

/** What CommonJS libraries find in their scope, and ES modules do not have. */
const banner = `import { createRequire as createRequireOfNode } from "node:module";
const require = createRequireOfNode(import.meta.url);`;

const common = { platform: "node", target: "node20.19", sourcemap: true, sourcesContent: false };

/** Commander takes child_process for commands that are programs of their own, and we have none: loaded when it is asked for. */
const lazyProcesses = {
  name: "lazy-processes",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      /[/\\]commander[/\\]/.test(importer) ? { path: "child_process", namespace: "lazy" } : undefined,
    );
    onLoad({ filter: /.*/, namespace: "lazy" }, () => ({
      contents: `module.exports = { get spawn() { return require("node:child_process").spawn; } };`,
    }));
  },
};

rmSync("dist", { recursive: true, force: true });
const { metafile } = await build({
  ...common,
  bundle: true,
  splitting: true,
  format: "esm",
  // The last two are for docs/generate.mjs.
  entryPoints: {
    cli: "src/cli.ts",
    index: "src/index.ts",
    diagnostics: "src/spec/diagnostics.ts",
    problem: "src/problem.ts",
  },
  // As deep as the folders of src/, so that `../../schemas/` and the like are right in both.
  outdir: "dist/lib",
  chunkNames: "[name]-[hash]",
  external: Object.keys(dependencies),
  // The same code as that for Node, in one scope: 70 CommonJS modules take longer to start.
  alias: {
    yaml: "./node_modules/yaml/browser/dist/index.js",
    "yaml/util": "./node_modules/yaml/browser/dist/util.js",
  },
  plugins: [lazyProcesses],
  banner: { js: banner },
  metafile: true,
});

const { outputs } = metafile;
const lazy = ["read-spec", "cel"].map((name) =>
  basename(Object.keys(outputs).find((path) => new RegExp(`/${name}-\\w+\\.js$`).test(path))),
);
let held = new Set();
for (const entry of ["cli.js", ...lazy]) held = await joinChunks("dist/lib", outputs, entry, common, held);

const bin = await transform(readFileSync("src/bin.cts", "utf8"), {
  ...common,
  sourcemap: false,
  loader: "ts",
  format: "cjs",
});
writeFileSync("dist/bin.cjs", bin.code.replace("./cli.ts", "./lib/cli.cjs"));
writeFileSync("dist/help.txt", execFileSync(process.execPath, ["dist/bin.cjs", "--help"]));
// Where `./libdeflate/` is right from the bundled files, too; its licence asks to be with it.
for (const name of ["deflate.wasm", "COPYING"]) {
  cpSync(`src/bundle/libdeflate/${name}`, `dist/lib/libdeflate/${name}`);
}
writeFileSync("dist/lib/LICENSES.txt", toNotices(metafile));

/** The licences of what is bundled, which ask to be handed on with it. */
function toNotices({ inputs }) {
  const folders = Object.keys(inputs).map((path) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders)]
    .filter((folder) => folder !== undefined)
    .sort()
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
      return `${name} ${version} (${license})\n\n${file ? readFileSync(`${folder}/${file}`, "utf8") : ""}`;
    })
    .join("\n---\n\n");
}
