import { expect, test } from "vitest";
import type { Entry } from "../../src/journal/journal.ts";
import { type Plan, PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import type { OnFailure, RunOptions } from "../../src/run/run.ts";
import type { StageContext } from "../../src/stage/stage.ts";
import { runPlan, type Told, toStage, toStages, toThing } from "./rig.ts";

test("a run of which only the cleaning failed has its images and ends with 8", async () => {
  const stuck = toThing(new Set(), () => Promise.reject(new Error("in use")));
  const { result } = await runOne(async ({ scope }) => {
    await scope.acquire(stuck, "group");
  });
  expect(result).toMatchObject({ outcome: "succeeded", exitCode: 8 });
  expect(result.leaked).toMatchObject([{ name: "thing group", reason: "in use", byHand: "rm group" }]);
});

test.each<[string, OnFailure, readonly string[]]>([
  ["clean", "clean", []],
  ["keep", "keep", ["bad"]],
  ["an answer to keep", () => Promise.resolve("keep"), ["bad"]],
  ["an answer to clean", () => Promise.resolve("clean"), []],
  ["no answer", () => Promise.reject(new Error("stdin is closed")), []],
])(
  "after a failure %s decides about the region that failed, and about no other",
  async (_name, onFailure, left) => {
    const world = new Set<string>();
    const { result, journal } = await runTwo(world, { onFailure });
    expect([...world]).toEqual(left);
    expect(result.left.map(({ name }) => name)).toEqual(left.map((name) => `thing ${name}`));
    expect(result.exitCode).toBe(6);
    expect(journal.entries.filter(({ type }) => type === "released")).toHaveLength(2 - left.length);
  },
);

test("whoever interrupts a run is not asked what to do: it is cleaned", async () => {
  const world = new Set<string>();
  const stop = new AbortController();
  const onFailure = (): never => {
    throw new Error("asked");
  };
  const { result } = await runOne(
    async ({ scope }) => {
      await scope.acquire(toThing(world), "instance");
      stop.abort(new Problem("interrupted", "SIGINT"));
      throw stop.signal.reason;
    },
    { signal: stop.signal, onFailure },
  );
  expect(result).toMatchObject({ outcome: "interrupted", exitCode: 130, left: [] });
  expect(world).toEqual(new Set());
});

test("a stage that is deaf to the first interrupt is left behind at the second", async () => {
  const stop = new AbortController();
  const abandon = new AbortController();
  const { result, told } = await runOne(
    async ({ scope }) => {
      await scope.acquire(toThing(new Set()), "instance");
      stop.abort(new Problem("interrupted", "SIGINT"));
      abandon.abort(new Problem("interrupted", "SIGINT"));
      await new Promise(() => undefined);
    },
    { signal: stop.signal, abandon: abandon.signal },
  );
  expect(told.slice(2)).toEqual([
    "acquired thing instance",
    "canceled r/a",
    "run.cleaning",
    "leaked thing instance",
    "run interrupted",
  ]);
  expect(result.leaked).toMatchObject([{ reason: "cleaning up was stopped" }]);
});

test("of several failures the first decides the exit code", async () => {
  const first = toStage("first", (): never => {
    throw new Problem("credentials-missing", "who are you?");
  });
  const second = toStage("second", async (): Promise<never> => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Problem("command-failed", "exit code 1");
  });
  const plan = new PlanBuilder("both");
  plan.add("b", "second", second, {});
  plan.add("a", "first", first, {});
  const { result } = await runPlan(plan.toPlan(), toStages(first, second));
  expect(result.failures.map(({ code }) => code)).toEqual(["credentials-missing", "command-failed"]);
  expect(result.exitCode).toBe(4);
});

test("a task that cannot be journalled has failed, and what was held is given back", async () => {
  const world = new Set<string>();
  const entries: Entry[] = [];
  const append = (entry: Entry): Promise<void> => {
    if (entry.type === "succeeded") return Promise.reject(new Problem("disk-full", "no room"));
    entries.push(entry);
    return Promise.resolve();
  };
  const { result } = await runOne(
    async ({ scope }) => {
      await scope.acquire(toThing(world), "instance");
    },
    { journal: { entries, append } },
  );
  expect(result).toMatchObject({ outcome: "failed", exitCode: 6, failures: [{ code: "disk-full" }] });
  expect(world).toEqual(new Set());
});

test("a secret reaches the stage that asks for it, and an unknown one is a bug", async () => {
  const secrets = new Map([["token", "hunter2hunter2"]]);
  const seen: string[] = [];
  await runOne(
    async ({ secret }) => {
      seen.push(secret({ $secret: "token" }));
    },
    { secrets },
  );
  expect(seen).toEqual(["hunter2hunter2"]);
  const { result } = await runOne(
    async ({ secret }) => {
      secret({ $secret: "nothing" });
    },
    { secrets },
  );
  expect(result.failures).toMatchObject([{ code: "bug", message: "the spec knows no secret nothing" }]);
});

type Work = (context: StageContext) => Promise<void>;

function runOne(work: Work, options: Partial<RunOptions> = {}): Promise<Told> {
  const stage = toStage("work", async (_input: object, context) => {
    await work(context);
    return null;
  });
  const plan = new PlanBuilder("one");
  plan.add("r", "a", stage, {});
  return runPlan(plan.toPlan(), toStages(stage), options);
}

function runTwo(world: Set<string>, options: Partial<RunOptions>): Promise<Told> {
  const make = toStage("make", async (_input: object, { scope, task }) => {
    await scope.acquire(toThing(world), task.replace(/\/.*/, ""));
    return null;
  });
  const fail = toStage("fail", (_input: { on: null }): never => {
    throw new Problem("bundle-invalid", "no luck");
  });
  const plan = new PlanBuilder("two");
  plan.add("good", "make", make, {});
  plan.add("bad", "fail", fail, { on: plan.add("bad", "make", make, {}) });
  const made: Plan = plan.toPlan();
  return runPlan(made, toStages(make, fail), options);
}
