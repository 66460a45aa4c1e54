// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readVariableFile } from "../../src/spec/read-spec.ts";
import { imageOf, least, refusalOf, specOf } from "./reading.ts";

const declared = `variables:
  text: { default: from-spec }
  port: { default: 22 }
  slow: { type: boolean, default: false }
  ratio: { type: number, default: 0.5 }
register:
  description: \${{ vars.text }} \${{ vars.port }} \${{ vars.slow }} \${{ vars.ratio }}
certificate: { allowMismatch: "\${{ vars.slow }}" }`;

test("a value comes from --var, else from the environment, else from the spec", async () => {
  const environment = { IMGSPEC_VAR_text: "from-environment", IMGSPEC_VAR_port: "23" };
  const descriptions = await Promise.all([
    imageOf(declared),
    imageOf(declared, { environment }),
    imageOf(declared, { environment, variables: { text: "from-var", slow: "true", ratio: "1.5" } }),
  ]);
  expect(descriptions.map(({ register }) => register.description)).toEqual([
    "from-spec 22 false 0.5",
    "from-environment 23 false 0.5",
    "from-var 23 true 1.5",
  ]);
});

test("a value that is one expression keeps its type; whole numbers are CEL's int", async () => {
  const image = await imageOf(declared, { variables: { slow: "true" } });
  expect(image.certificate.allowMismatch).toBe(true);
  const text = least.replace("{ user: ec2-user }", '{ user: ec2-user, port: "${{ vars.port + 2200 }}" }');
  const { images } = await specOf(
    `${text.replace("[m3.medium]", `"\${{ vars.types.split(',') }}"`)}variables: { port: { default: 22 }, types: { default: "m3.large,c3.large" } }\nregions: { us-east-1: {} }\n`,
  );
  expect(images[0]?.connect.port).toBe(2222);
  expect(images[0]?.launch.instanceTypes).toEqual(["m3.large", "c3.large"]);
});

test("only listed environment variables can be used, and build and region say what they are", async () => {
  const lines = `env: [GIT_COMMIT]
register:
  description: "\${{ env.GIT_COMMIT }} \${{ build.id }} \${{ build.date }} \${{ build.time }} \${{ region.certificate == null ? 'none' : region.certificate }}"`;
  const { register } = await imageOf(lines, { environment: { GIT_COMMIT: "abc", HOME: "/root" } });
  expect(register.description).toBe("abc 20261122-213330-k3v9 2026-11-22 213330 commercial");
});

test("a variable that is not declared is a wrong use", async () => {
  expect(await refusalOf(imageOf(declared, { variables: { txet: "x" } }))).toEqual([
    'usage-wrong the spec declares no variable "txet" (did you mean --var text=…?)',
  ]);
  expect(await refusalOf(imageOf("", { variables: { constructor: "x" } }))).toEqual([
    'usage-wrong the spec declares no variable "constructor" (it declares none)',
  ]);
});

test("names that JavaScript's objects have of themselves are names like any other", async () => {
  const lines = `variables: { constructor: { default: a }, toString: { default: b }, hasOwnProperty: { default: c } }
register:
  description: \${{ vars.constructor }}\${{ vars.toString }}\${{ vars["hasOwnProperty"] }}
  tags: { __proto__: x, constructor: y }`;
  const { register } = await imageOf(lines);
  expect(register.description).toBe("abc");
  expect(Object.entries(register.tags)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});

test("lists and maps are declared, and given as YAML from outside", async () => {
  const lines = `variables:
  types: { default: [m3.medium], enum: [m3.medium, m3.large] }
  tags: { type: map }
launch: { instanceTypes: "\${{ vars.types }}", tags: "\${{ vars.tags }}" }
register: { description: "\${{ vars.tags.team }} \${{ vars.types.map(t, t.upperAscii()).join(' ') }}" }`;
  const text = least.replace("launch: { instanceTypes: [m3.medium] }\n", "");
  const specWith = (variables: Record<string, string>): ReturnType<typeof specOf> =>
    specOf(`${text}${lines}\nregions: { us-east-1: {} }\n`, { variables });
  const { images } = await specWith({ tags: "{ team: web, n: '2' }", types: '["m3.large", "m3.medium"]' });
  expect(images[0]?.launch).toMatchObject({
    instanceTypes: ["m3.large", "m3.medium"],
    tags: { team: "web", n: "2" },
  });
  expect(images[0]?.register.description).toBe("web M3.LARGE M3.MEDIUM");
  expect(await refusalOf(specWith({ tags: "team: [", types: "[m1.small]" }))).toEqual([
    'variable-wrong the variable "types": "[m1.small]" is not one of "m3.medium", "m3.large"',
    'variable-wrong the variable "tags": "team: [" is not a map',
  ]);
});

test("files of variables are stronger than the environment and weaker than --var; mistakes in them have their places", async () => {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-variables-"));
  try {
    const paths = ["one.yaml", "two.json"].map((name) => join(directory, name));
    await writeFile(paths[0] ?? "", "text: from-one\nport: 24\nslow: true\n");
    await writeFile(paths[1] ?? "", '{ "text": "from-two" }');
    const variableFiles = await Promise.all(paths.map(readVariableFile));
    const environment = { IMGSPEC_VAR_text: "from-environment" };
    const { register } = await imageOf(declared, {
      variableFiles,
      environment,
      variables: { slow: "false" },
    });
    expect(register.description).toBe("from-two 24 false 0.5");

    await writeFile(paths[0] ?? "", "txet: x\nport: '24'\nratio:\n");
    const wrong = await readVariableFile(paths[0] ?? "");
    expect(await refusalOf(imageOf(declared, { variableFiles: [wrong] }))).toEqual([
      'variable-undeclared the spec declares no variable "txet"',
      'variable-wrong the variable "port": "24" is not a number',
      'variable-wrong the variable "ratio": its value is empty',
    ]);
    await writeFile(paths[0] ?? "", "- a\n");
    expect(await refusalOf(readVariableFile(paths[0] ?? ""))).toEqual([
      "wrong-type a file of variables is a map of names and values",
    ]);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("what has no value is asked for, where somebody can be asked", async () => {
  const lines = `variables: { a: { description: One }, b: { sensitive: true }, c: { default: x }, d: { enum: [x, y] } }
register: { description: "\${{ vars.a }} \${{ vars.c }} \${{ vars.d }}" }`;
  const seen: unknown[] = [];
  const ask = (missing: readonly unknown[]): Promise<Record<string, string>> => {
    seen.push(...missing);
    return Promise.resolve({ a: "answered", b: "hush", d: "y" });
  };
  const { register } = await imageOf(lines, { ask, environment: {} });
  expect(register.description).toBe("answered x y");
  expect(seen).toEqual([
    { name: "a", description: "One", choices: undefined, sensitive: false },
    { name: "b", description: undefined, choices: undefined, sensitive: true },
    { name: "d", description: undefined, choices: ["x", "y"], sensitive: false },
  ]);
});
