import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { localPaths } from "../../src/plan/add-step.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { toPlan } from "../../src/plan/planner.ts";
import { readSpec } from "../../src/spec/read-spec.ts";
import type { Spec } from "../../src/spec/spec.ts";
import { stages } from "../../src/stage/stages.ts";

const example = resolve(import.meta.dirname, "../../examples/multi-region/image.yaml");

test("each region has a chain of its own, in the order of the life of a build", async () => {
  const plan = planOf(await specOf(example));
  const words = ["preflight", "launch", "provision.1", "bundle", "clean", "upload", "verify", "register"];
  expect(plan.tasks.map(({ id }) => id)).toEqual(
    ["us-east-1", "us-gov-west-1", "cn-north-1"].flatMap((region) =>
      words.map((word) => `${region}/${word}`),
    ),
  );
  expect(plan.tasks.every(({ group, needs }) => needs.every((need) => need.startsWith(`${group}/`)))).toBe(
    true,
  );
});

test("an image is registered with the name of its spec, and of its variant where there are several", async () => {
  const tagsOf = (plan: Plan): unknown =>
    plan.tasks.find(({ id }) => id.endsWith("/register"))?.input["tags"];
  expect(tagsOf(planOf(await specOf(example)))).toMatchObject({ "imgspec:spec": "web-base" });
  const spec = await specOf(example);
  const small = { ...spec, images: spec.images.map((image) => ({ ...image, variant: "small" })) };
  expect(tagsOf(planOf(small))).toMatchObject({ "imgspec:spec": "web-base", "imgspec:variant": "small" });
});

test("a changed script leaves the launch as it was and changes everything after it", async () => {
  const spec = await specOf(example);
  const [before, after] = [planOf(spec, "one"), planOf(spec, "two")];
  const same = after.tasks.filter(({ digest }, index) => digest === before.tasks[index]?.digest);
  expect(same.map(({ id }) => id.split("/")[1])).toEqual(Array(3).fill(["preflight", "launch"]).flat());
});

test("steps for packages, assertions and reboots are tasks in their order, named for what they do", async () => {
  const steps = `  - packages: { install: [curl, rsync, jq], yum: [httpd], update: ["*"], remove: [telnet] }
  - reboot: {}
  - check: { that: [{ package: { name: curl } }, { port: { number: 22 } }] }`;
  const spec = await withLines(example, `provision:\n${steps}\n`);
  const tasks = planOf(spec).tasks.filter(({ id }) => id.startsWith("us-gov-west-1/provision"));
  expect(tasks.map(({ stage, title }) => [stage, title])).toEqual([
    ["provision.packages", "Packages: curl, rsync, jq, httpd and 2 more"],
    ["provision.reboot", "Reboot"],
    ["provision.check", "Check 2 assertions"],
  ]);
});

test("an image is published behind its gate and its trial, and by no task where nothing is said", async () => {
  const spec = await withLines(example, "publish: { share: {}, deprecate: 180d }\nverify: { boot: true }\n");
  const { tasks } = toPlan(spec, { digests: new Map(), tryCommand: "true" });
  const published = tasks.find(({ id }) => id === "us-gov-west-1/publish");
  expect(published?.needs).toEqual(["us-gov-west-1/boot", "us-gov-west-1/try"]);
  const silent = planOf(await withLines(example, "publish: { share: { accounts: [] } }\n"));
  expect(silent.tasks.filter(({ stage }) => stage === "publish.ec2")).toEqual([]);
});

test("the instance is given back once the bundle is made, beside the upload", async () => {
  const needs = new Map(planOf(await specOf(example)).tasks.map((task) => [task.id, task.needs]));
  expect(needs.get("us-east-1/clean")).toEqual(["us-east-1/launch", "us-east-1/bundle"]);
  expect(needs.get("us-east-1/upload")).toEqual(["us-east-1/bundle"]);
});

test("which machine bundles changes nothing of the order, and what both may put into S3 becomes the product", async () => {
  const spec = await specOf(example);
  const at = (where: "instance" | "builder"): Plan =>
    planOf({
      ...spec,
      images: spec.images.map((image) => ({ ...image, bundle: { ...image.bundle, at: where } })),
    });
  const [there, here] = [at("instance"), at("builder")];
  expect(there.tasks.map(({ id, needs }) => [id, needs])).toEqual(
    here.tasks.map(({ id, needs }) => [id, needs]),
  );
  const registered = there.tasks.find(({ id }) => id === "us-east-1/register");
  expect(registered?.input["products"]).toEqual([
    "us-east-1/bundle",
    "us-east-1/upload",
    "us-east-1/register",
  ]);
  const bundled = there.tasks.find(({ id }) => id === "us-east-1/bundle");
  expect(bundled?.input).toMatchObject({ at: "instance", upload: { acl: "aws-exec-read" } });
});

test("a trial launches the registered image last", async () => {
  const spec = await specOf(example);
  const { tasks } = toPlan(spec, { digests: new Map(), tryCommand: "true" });
  const trial = tasks.find(({ id }) => id === "us-east-1/try");
  expect(trial?.needs).toEqual(["us-east-1/preflight", "us-east-1/register"]);
});

test("with a gate the image becomes the product only after it has booted, and a trial comes last", async () => {
  const before = planOf(await specOf(example)).tasks;
  const spec = await gated(example);
  const { tasks } = toPlan(spec, { digests: new Map(), tryCommand: "true" });
  const mine = tasks.filter(({ group }) => group === "us-east-1");
  expect(mine.map(({ id }) => id.split("/")[1]).slice(-3)).toEqual(["register", "boot", "try"]);
  const inputs = new Map(mine.map(({ id, input }) => [id, input]));
  const products = ["us-east-1/bundle", "us-east-1/upload", "us-east-1/register"];
  const registers = before.filter(({ id }) => id === "us-east-1/register");
  expect(registers[0]?.input["products"]).toEqual(products);
  expect(inputs.get("us-east-1/register")?.["products"]).toEqual([]);
  expect(inputs.get("us-east-1/boot")).toMatchObject({
    products,
    console: "login:",
    userData: null,
    connect: { timeoutSeconds: 120 },
    tests: [{ script: { inline: "true" }, label: "verify.tests[0]", retries: 0 }],
  });
  const needs = new Map(mine.map((task) => [task.id, task.needs]));
  expect(needs.get("us-east-1/boot")).toEqual(["us-east-1/preflight", "us-east-1/register"]);
  expect(needs.get("us-east-1/try")).toEqual(["us-east-1/preflight", "us-east-1/boot"]);
});

test("a test of the gate is one of the files of the spec, and a changed one changes only the gate", async () => {
  const spec = await gated(example, "  - shell: scripts/install.sh");
  expect(localPaths(spec)).toEqual([expect.stringMatching(/scripts\/install\.sh$/)]);
  const digestsOf = (digest: string): readonly string[] =>
    toPlan(spec, { digests: new Map([[localPaths(spec)[0] ?? "", digest]]), tryCommand: null })
      .tasks.filter(({ id }) => id.endsWith("/boot"))
      .map((task) => task.digest);
  expect(digestsOf("one")).not.toEqual(digestsOf("two"));
});

test("with Amazon's tools one task bundles and uploads, and they are looked for right after connecting", async () => {
  const spec = await withTools("auto");
  const { tasks } = toPlan(spec, { digests: new Map(), tryCommand: null });
  const mine = tasks.filter(({ group }) => group === "us-east-1");
  expect(mine.map(({ id }) => id.split("/")[1])).toEqual([
    ...["preflight", "launch", "tools", "provision.1", "bundle", "clean", "verify", "register"],
  ]);
  const find = (word: string) => mine.find(({ id }) => id === `us-east-1/${word}`);
  expect(find("provision.1")?.needs).toEqual(["us-east-1/tools"]);
  expect(find("verify")?.needs).toEqual(["us-east-1/bundle"]);
  expect(find("register")?.input["products"]).toEqual(["us-east-1/bundle", "us-east-1/register"]);
  expect(mine.filter(({ stage }) => !stages.has(stage))).toEqual([]);
  const provisioned = toPlan(await withTools("provision"), { digests: new Map(), tryCommand: null });
  expect(provisioned.tasks.filter(({ id }) => id.endsWith("/tools"))).toEqual([]);
});

test("every stage that a plan names is known", async () => {
  const { tasks } = toPlan(await gated(example), { digests: new Map(), tryCommand: "true" });
  expect(tasks.filter(({ stage }) => !stages.has(stage))).toEqual([]);
});

async function specOf(path: string): Promise<Spec> {
  const build = { id: "20261122-213330-k3v9", now: new Date("2026-11-22T21:33:30Z") };
  return (await readSpec(path, { variables: {}, environment: {}, build })).spec;
}

function withTools(install: string): Promise<Spec> {
  return withLines(example, `bundle:\n  method: ami-tools\n  amiTools: { install: ${install} }\n`);
}

/** The spec with a section `verify`. */
function gated(path: string, tests = "  - shell: { inline: 'true' }"): Promise<Spec> {
  return withLines(path, `verify:\n  console: "login:"\n  timeout: 2m\n  tests:\n  ${tests}\n`);
}

/** The spec with a section more, or with another one. */
async function withLines(path: string, lines: string): Promise<Spec> {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-gated-"));
  try {
    await cp(dirname(path), folder, { recursive: true });
    const copy = join(folder, "gated.yaml");
    const text = await readFile(path, "utf8");
    const [section = ""] = lines.split("\n");
    const others = text.replace(new RegExp(`^${section}\\n(?: .*\\n)+`, "m"), "");
    await writeFile(copy, `${others}\n${lines}`);
    return await specOf(copy);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function planOf(spec: Spec, digest = "d"): Plan {
  return toPlan(spec, { digests: new Map(localPaths(spec).map((path) => [path, digest])), tryCommand: null });
}
