// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the expressions of specs, not of JavaScript
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toYamlText } from "../../src/document/print.ts";
import { Problem } from "../../src/problem.ts";
import { readSpec, readVariableFile } from "../../src/spec/read-spec.ts";
import { build, least, refusalOf } from "./reading.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-files-"));
});

afterEach(() => rm(directory, { recursive: true }));

const regions = "regions: { us-east-1: {} }\n";

test("file() is relative to the file that it is written in", async () => {
  await write(
    "image.yaml",
    `${least}extends: common/base.yaml\nregister: { description: "\${{ file('motd') }}" }\n${regions}`,
  );
  await write("common/base.yaml", "register: { tags: { motd: \"${{ file('motd') }}\" } }\n");
  await write("motd", "spec");
  await write("common/motd", "base");
  const { register } = await imageOf("image.yaml");
  expect([register.description, register.tags["motd"]]).toEqual(["spec", "base"]);
});

test("a text with the beginning of an expression in it can be written, and is rendered so that it reads back", async () => {
  const text = "${{ '${{' }} x }} ${{ 'a' + '${{' }}";
  await write(
    "image.yaml",
    `${least.replace(/^upload.*\n/m, "")}upload: { bucket: b-1, prefix: "\${{ '\${{' }}" }\nregister: { description: "${text}" }\n${regions}`,
  );
  const { spec, rendered } = await read("image.yaml");
  const [first] = spec.images;
  expect([first?.upload.prefix, first?.register.description]).toEqual(["${{", "${{ x }} a${{"]);
  const [whole] = rendered();
  if (!whole) throw new Error("nothing was rendered");
  await write(
    "rendered.yaml",
    toYamlText(whole.value, () => undefined),
  );
  expect(await imageOf("rendered.yaml")).toEqual(first);
});

test("a named pipe is not extended, since nobody may ever write into it", async () => {
  await write("image.yaml", `${least}extends: pipe.yaml\n${regions}`);
  execFileSync("mkfifo", [join(directory, "pipe.yaml")]);
  const [said] = await refusalOf(read("image.yaml"));
  expect(said).toBe(`file-missing "${join(directory, "pipe.yaml")}" is no file`);
});

test("what is no file of variables is told what one is", async () => {
  await write("empty.yaml", "");
  const error: unknown = await readVariableFile(join(directory, "empty.yaml")).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Problem);
  expect((error as Problem).hint).toBe(
    'a file of variables is a map of names and values, such as release: "2026.11"',
  );
});

test("a text with a secret in it is rendered with all but the secret, and reads back", async () => {
  const env = "URL: \"https://${{ vars.user }}:${{ vars.token }}@${{ region.name }}/${{ '${{' }}\"";
  const variables = "variables: { user: { default: joe }, token: { sensitive: true } }\n";
  await write(
    "image.yaml",
    `${least}${variables}provision: [{ shell: { inline: x, env: { ${env} } } }]\n${regions}`,
  );
  const given = { variables: { token: "hunter2" }, environment: {}, build };
  const first = await readSpec(join(directory, "image.yaml"), given);
  const text = toYamlText(first.rendered()[0]?.value ?? null, () => undefined);
  expect(text).toContain("URL: https://joe:${{ vars.token }}@us-east-1/${{ '${{' }}\n");
  expect(text).not.toContain("hunter2");
  await write("rendered.yaml", text);
  const second = await readSpec(join(directory, "rendered.yaml"), given);
  expect(second.spec.secrets).toEqual(first.spec.secrets);
  expect([...first.spec.secrets.values()]).toContain("https://joe:hunter2@us-east-1/${{");
});

async function write(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(directory, name)), { recursive: true });
  await writeFile(join(directory, name), text);
}

function read(name: string): ReturnType<typeof readSpec> {
  return readSpec(join(directory, name), { variables: {}, environment: {}, build });
}

async function imageOf(name: string) {
  const [image] = (await read(name)).spec.images;
  if (!image) throw new Error("no image");
  return image;
}
