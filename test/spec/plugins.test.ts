// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { comparePlans } from "../../src/plan/compare.ts";
import { toPlan } from "../../src/plan/planner.ts";
import { ownKeys } from "../../src/spec/plugins/fragment.ts";
import { toProjectSchema } from "../../src/spec/plugins/project-schema.ts";
import { readPlugins } from "../../src/spec/plugins/read-plugins.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { Spec } from "../../src/spec/spec.ts";
import type { Schema } from "../../src/spec/written-schema.ts";
import { build, least } from "./reading.ts";

const serve = `{
  schema: {
    type: "object",
    required: ["site"],
    properties: {
      site: { $ref: "#/definitions/site" },
      ports: { type: "array", items: { type: "integer", maximum: 65535 }, default: [80] },
      mode: { type: "string", enum: ["static", "proxy"], default: "static", description: "How." },
      password: { type: "string", sensitive: true },
    },
    definitions: { site: { type: "object", properties: { root: { type: "string", pattern: "^/" } } } },
  },
  describe: ({ site }) => "the site in " + site.root,
  run: async () => undefined,
}`;
const of = (name: string, kind: string): string =>
  `{ imgspec: 1, name: "${name}", provisioners: { ${kind}: ${serve} } }`;

const files: Readonly<Record<string, string>> = {
  "image.yaml": `${least}extends: base/apps/app.yaml
plugins: ["@acme/esm", cjs/sub, ./plugins/own.mjs]
variables: { password: { sensitive: true } }
provision:
  - based: { site: { root: / }, password: "\${{ vars.password }}" }
  - esm: { site: { root: "/srv/\${{ region.name }}" }, mode: proxy, timeout: 5m, retries: 2 }
  - { cjs: { site: { root: /a } }, if: false }
  - own: { site: { root: /b }, ports: "\${{ [8080] }}" }
regions: { us-east-1: {} }
`,
  "base/apps/app.yaml": "plugins: [../plugins/based.mjs, ../../plugins/own.mjs]\n",
  "base/plugins/based.mjs": `export default ${of("based", "based")}`,
  "plugins/own.mjs": `export default ${of("own", "own")}`,
  "node_modules/@acme/esm/package.json": `{ "version": "1.2.3", "exports": { ".": { "import": "./lib/esm.js" } }, "type": "module" }`,
  "node_modules/@acme/esm/lib/esm.js": `export default ${of("@acme/esm", "esm")}`,
  "node_modules/cjs/package.json": `{ "version": "4.5.6" }`,
  "node_modules/cjs/sub.js": `exports.__esModule = true; exports.default = ${of("cjs", "cjs")}`,
};

let directory: string;
let path: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-plugins-"));
  path = join(directory, "image.yaml");
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), text);
  }
});
afterAll(() => rm(directory, { recursive: true }));

const options = { variables: { password: "s3cret value" }, environment: {}, build };

async function specIn(file: string): Promise<Spec> {
  return (await readSpec(file, options)).spec;
}

test("plugins of files, packages and of what is extended bring steps, with their defaults, and secrets by name", async () => {
  const spec = await specIn(path);
  const steps = spec.images[0]?.provision.map((step) =>
    step.kind === "plugin" ? { ...step, plugin: { ...step.plugin, contents: "" } } : step,
  );
  const secret = "us-east-1/provision[0].based.password";
  const at = (name: string, version: string | null, module: string): object => ({
    plugin: { name, version, module: join(directory, module), contents: "" },
    kind: "plugin",
    directory,
  });
  expect(steps).toEqual([
    {
      ...at("based", null, "base/plugins/based.mjs"),
      provisioner: "based",
      title: "based the site in /",
      label: "provision[0].based",
      timeoutSeconds: 3600,
      retries: 0,
      options: { site: { root: "/" }, ports: [80], mode: "static", password: { $secret: secret } },
    },
    {
      ...at("@acme/esm", "1.2.3", "node_modules/@acme/esm/lib/esm.js"),
      provisioner: "esm",
      title: "esm the site in /srv/us-east-1",
      label: "provision[1].esm",
      timeoutSeconds: 300,
      retries: 2,
      options: { site: { root: "/srv/us-east-1" }, ports: [80], mode: "proxy" },
    },
    {
      ...at("own", null, "plugins/own.mjs"),
      provisioner: "own",
      title: "own the site in /b",
      label: "provision[3].own",
      timeoutSeconds: 3600,
      retries: 0,
      options: { site: { root: "/b" }, ports: [8080], mode: "static" },
    },
  ]);
  expect(spec.secrets.get(secret)).toBe("s3cret value");
});

test("a plugin that is another is another task, by its version or what is in its file", async () => {
  const planOf = (spec: Spec) => toPlan(spec, { digests: new Map(), tryCommand: null });
  const before = await specIn(path);
  expect(JSON.stringify(planOf(before))).not.toContain("s3cret value");
  const newer = `{ "version": "1.3.0", "exports": { "import": "./lib/esm.js" }, "type": "module" }`;
  await writeFile(join(directory, "node_modules/@acme/esm/package.json"), newer);
  await writeFile(join(directory, "plugins/own.mjs"), `// Other words.\n${files["plugins/own.mjs"]}`);
  const after = await specIn(path);
  const changes = comparePlans(
    { plan: planOf(before), run: build.id },
    { plan: planOf(after), run: build.id },
  );
  expect(changes.slice(0, 2)).toMatchObject([
    { task: { id: "us-east-1/provision.2" }, differences: [{ path: "plugin.version", after: "1.3.0" }] },
    { task: { id: "us-east-1/provision.3" }, differences: [{ path: "plugin.contents" }] },
  ]);
});

test("a rendered spec names the plugins from where it is, and is a spec by itself", async () => {
  const { rendered } = await readSpec(path, options);
  const [image] = rendered();
  const names = ["./base/plugins/based.mjs", "./plugins/own.mjs", "@acme/esm", "cjs/sub"];
  expect(image?.value).toMatchObject({ plugins: names, variables: { password: { sensitive: true } } });
  expect(image?.originOf(["provision", 0, "based", "mode"])).toBe("default");
  const again = join(directory, "rendered.yaml");
  await writeFile(again, stringify(image?.value));
  const bare = (spec: Spec) => spec.images[0]?.provision.map((step) => ({ ...step, label: "" }));
  const secret = /us-east-1\/provision/;
  expect(JSON.stringify(bare(await specIn(again)))).toBe(JSON.stringify(bare(await specIn(path))));
  expect([...(await specIn(again)).secrets.keys()].some((name) => secret.test(name))).toBe(true);
});

test("the schema of a project takes what its plugins take, and expressions, and nothing else", async () => {
  const published = JSON.parse(
    await readFile(new URL("../../schemas/imgspec.v1.schema.json", import.meta.url), "utf8"),
  ) as Schema;
  const schema = toProjectSchema(published, await readPlugins(path));
  const ajv = new Ajv({ allErrors: true, strict: false, inlineRefs: false });
  const validate = ajv.compile(schema);
  const mistakesIn = (step: object, list: (steps: object[]) => unknown = (steps) => steps): unknown => {
    validate({ imgspec: 1, name: "web", provision: list([step]) });
    // Of each kind that a step is not.
    const errors = validate.errors?.filter(({ keyword }) => keyword !== "required") ?? [];
    return errors.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  };
  expect(validate(parse(files["image.yaml"] ?? ""))).toBe(true);
  expect(
    mistakesIn({ esm: { site: "${{ vars.site }}", ports: ["${{ vars.port }}"], mode: "${{ vars.m }}" } }),
  ).toEqual([]);
  expect(mistakesIn({ esm: { site: { root: "a" } } }, (steps) => ({ append: steps }))).toEqual([
    "/provision/append/0/esm/site/root pattern",
  ]);
  expect(mistakesIn({ esm: { prts: 80, site: {}, retries: "x" }, shell: "x" })).toEqual([
    "/provision/0 oneOf",
    "/provision/0/esm additionalProperties",
    "/provision/0/esm/retries pattern",
  ]);
  expect(mistakesIn({ gone: {} })).toContain("/provision/0 additionalProperties");
});

test("what imgspec adds to the options of each step is what its own steps have", async () => {
  const fragments = JSON.parse(
    await readFile(new URL("../../schemas/fragments.json", import.meta.url), "utf8"),
  ) as Readonly<Record<string, object>>;
  expect(ownKeys.timeout).toMatchObject(fragments["duration"] ?? {});
  expect(ownKeys.retries).toMatchObject(fragments["retries"] ?? {});
});

test("for its plugins a spec may be unfinished; one that cannot be loaded is told", async () => {
  const text = "imgspec: 1\n";
  await writeFile(join(directory, "plain.yaml"), text);
  expect((await readPlugins(join(directory, "plain.yaml"))).provisioners.size).toBe(0);
  await writeFile(join(directory, "broken.yaml"), `${text}plugins: [./plugins/gone.mjs]\n`);
  await expect(readPlugins(join(directory, "broken.yaml"))).rejects.toMatchObject({
    code: "spec-invalid",
    diagnostics: [{ code: "plugin-missing" }],
  });
});
