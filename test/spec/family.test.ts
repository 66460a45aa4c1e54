import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toYamlText } from "../../src/document/print.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { ImageSpec } from "../../src/spec/spec.ts";
import { build, least, nativeOf, refusalOf } from "./reading.ts";

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-family-"));
});

afterEach(() => rm(directory, { recursive: true }));

const base = least.replace("imgspec: 1\nname: web\n", "");

test("a spec is laid over the files that it extends, a region over its presets and its own file", async () => {
  const { images } = await readFiles({
    "image.yaml": `imgspec: 1
name: web
extends: [common/base.yaml, common/more.yaml]
launch: { tags: { b: "3" } }
bundle: { exclude: { append: [/three/**] } }
presets:
  small: { launch: { instanceTypes: [m1.small] }, bundle: { exclude: { prepend: [/zero/**] } } }
  china: { profile: china, launch: { instanceTypes: { append: [m1.large] } } }
regions:
  us-east-1:
  cn-north-1: { preset: [small, china], extends: common/cn.yaml, upload: { acl: public-read } }
`,
    "common/base.yaml": `${base}extends: ../base-of-base.yaml
bundle: { exclude: [/one/**] }
`,
    "base-of-base.yaml": `launch: { tags: { a: "1", b: "1" }, timeout: 3m }
regions: { us-east-1: { profile: everywhere } }
`,
    "common/more.yaml": `launch: { tags: { b: "2", c: "2" } }
bundle: { exclude: { append: [/two/**] } }
connect:
`,
    "common/cn.yaml": `source: { find: { name: "x-*", owner: self } }
upload: { bucket: acme-china, acl: ec2-bundle-read }
`,
  });
  const seen = images.map((image) => [
    image.region.name,
    image.profile,
    image.source.kind,
    image.launch.instanceTypes,
    image.launch.timeoutSeconds,
    image.upload.bucket,
    image.upload.acl,
    nativeOf(image).image.exclude.slice(7),
  ]);
  expect(images.map(({ launch }) => launch.tags)).toEqual(Array(2).fill({ a: "1", b: "3", c: "2" }));
  const exclude = ["/one/**", "/two/**", "/three/**"];
  expect(seen).toEqual([
    ["us-east-1", "everywhere", "image", ["m3.medium"], 180, "acme-images", "aws-exec-read", exclude],
    [
      "cn-north-1",
      "china",
      "find",
      ["m1.small", "m1.large"],
      180,
      "acme-china",
      "public-read",
      ["/zero/**", ...exclude],
    ],
  ]);
});

test("a path is relative to the file that names it", async () => {
  const { images } = await readFiles({
    "image.yaml": `imgspec: 1
name: web
extends: common/base.yaml
provision: { append: [{ shell: own.sh }, { local: "true" }] }
regions: { us-east-1: {} }
`,
    "common/base.yaml": `${base}provision: [{ shell: scripts/a.sh }, { upload: { from: ., to: /srv } }, { local: make }]
bundle: { fstab: keep }
`,
    "common/scripts/a.sh": "true",
    "own.sh": "true",
  });
  const [{ provision } = { provision: [] }] = images;
  expect(provision.map((step) => pathOf(step))).toEqual([
    join(directory, "common/scripts/a.sh"),
    join(directory, "common"),
    directory,
    join(directory, "own.sh"),
    directory,
  ]);
});

test("a step is there if its conditions hold, and keeps its number", async () => {
  const { images } = await readFiles({
    "image.yaml": `${least}provision:
  - { if: "\${{ region.partition == 'aws-cn' }}", shell: { inline: "true" } }
  - { only: [us-*], except: [us-west-*], shell: { inline: "true" } }
  - { except: [cn-*], shell: nowhere.sh, if: false }
  - shell: { inline: "true" }
verify: { tests: [{ only: [cn-*], shell: { inline: "true" } }] }
regions: { us-east-1: {}, us-west-2: {}, cn-north-1: {} }
`,
  });
  expect(images.map(({ provision }) => provision.map(({ label }) => label))).toEqual([
    ["provision[1]", "provision[3]"],
    ["provision[3]"],
    ["provision[0]", "provision[3]"],
  ]);
  expect(images.map(({ verify }) => verify?.tests.length)).toEqual([undefined, undefined, 1]);
});

test("what is rendered is a spec by itself that makes the same image, and says where each value comes from", async () => {
  const files = {
    "image.yaml": `imgspec: 1
name: web
extends: common/base.yaml
variables: { size: { default: 2GiB }, token: { sensitive: true, default: hush } }
bundle: { size: "\${{ vars.size }}" }
provision:
  - shell: { inline: "true", env: { TOKEN: "x\${{ vars.token }}" } }
  - { if: false, shell: gone.sh }
regions: { cn-north-1: { profile: china } }
`,
    "common/base.yaml": `${base}certificate: { certificate: c.pem, privateKey: k.pem }\n`,
    "common/c.pem": "",
    "common/k.pem": "",
  };
  const first = await readFiles(files);
  const [rendered] = first.rendered();
  if (!rendered) throw new Error("nothing was rendered");
  const { originOf } = rendered;
  const text = toYamlText(rendered.value, () => undefined);
  expect(text).not.toContain("hush");
  expect(text.match(/\{\{.*\}\}/g)).toEqual(["{{ vars.token }}"]);
  await writeFile(join(directory, "rendered.yaml"), text);
  const second = await read("rendered.yaml", { token: "hush" });
  expect(second.images).toEqual(first.images);
  expect(second.secrets).toEqual(first.secrets);

  const origin = (...path: (string | number)[]): string | undefined =>
    originOf(path)?.replace(`${directory}/`, "");
  expect(origin("bundle", "size")).toBe("image.yaml:5");
  expect(origin("provision", 0, "shell", "inline")).toBe("image.yaml:7");
  expect(origin("certificate", "certificate")).toBe("common/base.yaml:5");
  expect(origin("regions", "cn-north-1", "profile")).toBe("image.yaml:9");
  expect(origin("bundle", "at")).toBe("default");
});

test("files without end are not read", async () => {
  const names = Array.from({ length: 150 }, (_, index) => `f${index}.yaml`);
  const chain = Object.fromEntries(names.map((name, index) => [name, `extends: f${index + 1}.yaml\n`]));
  const reading = readFiles({
    ...chain,
    "image.yaml": `${least}extends: f0.yaml\nregions: { us-east-1: {} }\n`,
  });
  expect(await refusalOf(reading)).toEqual(["extends-too-much more than 100 files extend each other"]);
});

test("files that name each other over and over do not take time without end", async () => {
  const names = Array.from({ length: 30 }, (_, index) => `d${index}.yaml`);
  const files = Object.fromEntries(
    names.map((name, index) => [
      name,
      index < 29 ? `extends: [d${index + 1}.yaml, d${index + 1}.yaml]\n` : "name: x\n",
    ]),
  );
  const reading = readFiles({
    ...files,
    "image.yaml": `${least}extends: d0.yaml\nregions: { us-east-1: {} }\n`,
  });
  expect((await refusalOf(reading))[0]).toBe("extends-too-much more than 100 files extend each other");
});

test("what says nothing takes nothing away, and nothing can be added to an expression", async () => {
  const base = `${least}variables: { types: { default: [m3.medium] } }\nlaunch: { tags: { a: "1" } }\nregions: { us-east-1: {} }\n`;
  const { images } = await readFiles({
    "image.yaml": "extends: base.yaml\nvariables:\nenv:\nmatrix:\nregions:\n",
    "base.yaml": base
      .replace("launch: { instanceTypes: [m3.medium] }\n", "")
      .replace("launch: {", "launch: { instanceTypes: [m3.medium],"),
  });
  expect(images.map(({ region }) => region.name)).toEqual(["us-east-1"]);
  const quoted = `"\${{ vars.types }}"`;
  const added = readFiles({
    "image.yaml": "extends: base.yaml\nlaunch: { instanceTypes: { append: [m3.large] } }\n",
    "base.yaml": `${least.replace("[m3.medium]", quoted)}variables: { types: { default: [m3.medium] } }\nregions: { us-east-1: {} }\n`,
  });
  expect(await refusalOf(added)).toEqual(["wrong-type launch.instanceTypes must be a list, not a map"]);
});

function pathOf(step: ImageSpec["provision"][number]): string {
  if (step.kind === "shell") return "path" in step.script ? step.script.path : step.script.inline;
  if (step.kind === "local") return step.workdir;
  return "from" in step ? step.from : step.label;
}

type Reading = Awaited<ReturnType<typeof readSpec>>["spec"] &
  Pick<Awaited<ReturnType<typeof readSpec>>, "rendered">;

/** Writes the files and reads image.yaml. */
async function readFiles(files: Readonly<Record<string, string>>): Promise<Reading> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return read("image.yaml");
}

async function read(name: string, variables: Record<string, string> = {}): Promise<Reading> {
  const options = { variables, environment: {}, build };
  const { spec, rendered } = await readSpec(join(directory, name), options);
  return { ...spec, rendered };
}
