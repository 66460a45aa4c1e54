import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

test("the example passes its own test, which knows only the package", async () => {
  const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap", "examples/plugin/"], {
    cwd: root,
  });
  expect(stdout).toMatch(/# pass 2\n# fail 0\n/);
});

test("the example has the types that are published, and a plugin that has not is told", async () => {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-types-"));
  const tsc = (...words: string[]) =>
    run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), ...words]).then(
      () => "",
      ({ stdout }: { stdout: string }) => stdout,
    );
  try {
    const home = join(folder, "node_modules/imgspec");
    await mkdir(home, { recursive: true });
    await symlink(join(root, "node_modules/@types"), join(folder, "node_modules/@types"));
    await cp(join(root, "package.json"), join(home, "package.json"));
    await cp(join(root, "examples/plugin"), folder, { recursive: true });
    expect(await tsc("-p", join(root, "tsconfig.build.json"), "--outDir", join(home, "dist"))).toBe("");
    expect(await tsc("-p", folder)).toBe("");
    const path = join(folder, "plugins/greeting.mjs");
    const text = await readFile(path, "utf8");
    await writeFile(
      path,
      text.replace("async run({ run,", "async run({ rum,").replace("imgspec: 1", "imgspec: 2"),
    );
    const told = await tsc("-p", folder);
    expect(told).toContain("Property 'rum' does not exist on type 'ProvisionContext'");
    expect(told).toContain("Type '2' is not assignable to type '1'");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("a project's schema and explanations have its plugins, which a spec without any does not load", async () => {
  await using cli = await newCli("plugin", { NODE_V8_COVERAGE: "loaded" });
  const { stdout: schema } = await cli.run("schema", "image.yaml");
  const validate = new Ajv({ strict: false, inlineRefs: false }).compile(JSON.parse(schema) as object);
  const greet = (options: object): boolean =>
    validate({ imgspec: 1, name: "x", provision: [{ greet: options }] });
  expect([greet({ to: ["world"] }), greet({ to: ["world"], style: "lod" })]).toEqual([true, false]);
  const { stdout } = await cli.run("explain", "provision.greet.style", "--spec", "image.yaml");
  expect(stdout).toContain("values    plain | loud");
  const wrong = await cli.run("schema", "image.yaml", "--of", "event");
  expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("plugins add nothing")]);
  const loaded = join(cli.folder, "loaded");
  expect(await isLoaded(loaded)).toBe(true);

  await rm(loaded, { recursive: true });
  const spec = await readFile(join(cli.folder, "image.yaml"), "utf8");
  const plain = spec.replace(/^plugins:.*\n/m, "").replace(/^provision:\n( .*\n)+/m, "");
  await writeFile(join(cli.folder, "plain.yaml"), plain);
  expect(await cli.run("validate", "plain.yaml", "--var", "signature=x")).toMatchObject({
    code: 0,
    stderr: "",
  });
  expect(await isLoaded(loaded)).toBe(false);
});

/** Whether a process that left its coverage there has loaded what loads plugins. */
async function isLoaded(directory: string): Promise<boolean> {
  const files = await readdir(directory);
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), "utf8")));
  expect(texts.join()).toContain("dist/lib/read-spec-");
  return texts.some((text) => /dist\/lib\/load-\w+\.js/.test(text));
}
