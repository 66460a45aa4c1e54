import { expect, test } from "vitest";
import { toChangesText } from "../../src/plan/changes-text.ts";
import { comparePlans, type Dated } from "../../src/plan/compare.ts";
import { toPlan } from "../../src/plan/planner.ts";
import { imageOf } from "../spec/reading.ts";

const runs = ["20261122-213330-k3v9", "20261123-101010-a1b2"] as const;

async function planOf(lines: string, run: string, digest = "d1"): Promise<Dated> {
  const image = await imageOf(lines, { build: { id: run, now: new Date(Date.UTC(2026, 10, 22)) } });
  const spec = { name: "web", path: "image.yaml", directory: "/", images: [image], secrets: new Map() };
  const digests = new Map(
    image.provision.flatMap((step) =>
      step.kind === "shell" && "path" in step.script ? [[step.script.path, digest] as const] : [],
    ),
  );
  return { plan: toPlan(spec, { digests, tryCommand: null }), run };
}

const steps = `provision:
  - shell: { inline: echo one }
  - shell: { inline: echo two, env: { A: x } }
`;

test("two runs of the same spec do not differ, though the id of the run is in their names", async () => {
  const [before, after] = await Promise.all(runs.map((run) => planOf(steps, run)));
  if (!before || !after) throw new Error("no plans");
  expect(comparePlans(before, after)).toEqual([]);
  expect(toChangesText([], 9, runs[0])).toBe(`nothing differs from run ${runs[0]}\n`);
});

test("what is changed says what it was, what follows says why, and what is new or gone is there", async () => {
  const before = await planOf(steps, runs[0]);
  const after = await planOf(
    `${steps.replace("A: x", "A: y, B: z").replace("echo two", "echo 2")}verify: { boot: true }\n`,
    runs[1],
  );
  const changes = comparePlans(before, after);
  expect(
    toChangesText(changes, after.plan.tasks.length, runs[0]),
  ).toBe(`${changes.length} of ${after.plan.tasks.length} tasks differ from run ${runs[0]}

~ us-east-1/preflight  Check account, source, bucket and certificate
    gate: null -> {"instanceTypes":["m3.medium"],"iamInstanceProfile":null,"userData":null}
> us-east-1/launch  Launch an instance
    since us-east-1/preflight differs
> us-east-1/provision.1  Run echo one
    since us-east-1/launch differs
~ us-east-1/provision.2  Run echo 2
    script.inline: "echo two" -> "echo 2"
    env.A: "x" -> "y"
    env.B: (nothing) -> "z"
> us-east-1/bundle  Bundle the root volume
    since us-east-1/provision.2, us-east-1/preflight differs
> us-east-1/clean  Give back instance, key and security group
    since us-east-1/launch, us-east-1/bundle differs
> us-east-1/upload  Upload the bundle
    since us-east-1/bundle differs
> us-east-1/verify  Verify the bundle in S3
    since us-east-1/upload differs
~ us-east-1/register  Register the image
    products: ["us-east-1/bundle","us-east-1/upload","us-east-1/register"] -> []
+ us-east-1/boot  Launch the new image and test it
`);
  expect(comparePlans(after, before).filter(({ kind }) => kind === "removed")).toMatchObject([
    { task: { id: "us-east-1/boot" } },
  ]);
});

test("of long values that differ late the part that differs is shown", async () => {
  const long = "x".repeat(300);
  const [before, after] = await Promise.all(
    ["one", "two"].map((word, index) =>
      planOf(`provision: [{ shell: { inline: "${long}${word}" } }]\n`, runs[index] ?? ""),
    ),
  );
  if (!before || !after) throw new Error("no plans");
  const text = toChangesText(comparePlans(before, after), after.plan.tasks.length, runs[0]);
  expect(text).toContain(`script.inline: …${"x".repeat(20)}one" -> …${"x".repeat(20)}two"\n`);
});
