import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import { runPlan, toStage, toStages, toThing } from "./rig.ts";

const one = toStage("one", () => 1);
const increment = toStage("increment", ({ of }: { of: number }) => of + 1);
const broken = toStage("broken", (): never => {
  throw new Problem("aws-fault", "no luck", { hint: "try again", cause: new Error("socket hang up") });
});
const patient = toStage("patient", async (_input, { signal }) => {
  await sleep(60_000, undefined, { signal });
  return null;
});

test("a task starts when what it needs is there, and gets it", async () => {
  const plan = new PlanBuilder("chain");
  const first = plan.add("r", "a", one, {});
  const second = plan.add("r", "b", increment, { of: first });
  plan.add("r", "c", increment, { of: second });
  const { result, told } = await runPlan(plan.toPlan(), toStages(one, increment));
  expect(result.tasks.map(({ output }) => output)).toEqual([1, 2, 3]);
  expect(told).toEqual([
    "run.started",
    "started r/a",
    "succeeded r/a",
    "started r/b",
    "succeeded r/b",
    "started r/c",
    "succeeded r/c",
    "run succeeded",
  ]);
  expect(result).toMatchObject({ outcome: "succeeded", exitCode: 0, failures: [], leaked: [], left: [] });
});

test("tasks that do not need each other run beside each other, but no more than allowed", async () => {
  let running = 0;
  let most = 0;
  const gate = toStage("gate", async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
    return null;
  });
  const plan = new PlanBuilder("wide");
  for (let index = 0; index < 7; index += 1) plan.add(`r${index}`, "gate", gate, {});
  await runPlan(plan.toPlan(), toStages(gate), { concurrency: 3 });
  expect(most).toBe(3);
});

test("a region that fails stops its own tasks and leaves the others going", async () => {
  const slow = toStage("slow", async () => {
    await sleep(20);
    return "ok";
  });
  const plan = new PlanBuilder("regions");
  const lost = plan.add("bad", "broken", broken, {});
  plan.add("bad", "after", increment, { of: lost });
  plan.add("bad", "beside", patient, {});
  const fine = plan.add("good", "slow", slow, {});
  const echo = toStage("echo", ({ of }: { of: string }) => of);
  plan.add("good", "after", echo, { of: fine });
  const { result, told } = await runPlan(plan.toPlan(), toStages(broken, increment, patient, slow, echo));
  expect(Object.fromEntries(result.tasks.map(({ id, status }) => [id, status]))).toEqual({
    "bad/broken": "failed",
    "bad/after": "skipped",
    "bad/beside": "canceled",
    "good/slow": "succeeded",
    "good/after": "succeeded",
  });
  expect(told).not.toContain("failed bad/beside");
  expect(result.outcome).toBe("failed");
  expect(result.failures).toEqual([
    {
      task: "bad/broken",
      code: "aws-fault",
      message: "no luck",
      hint: "try again",
      file: null,
      causes: ["socket hang up"],
      tail: [],
      stack: null,
      exitCode: 6,
    },
  ]);
  expect(result.exitCode).toBe(6);
});

test("what is skipped names the failure that began it", async () => {
  const plan = new PlanBuilder("chain");
  const lost = plan.add("r", "a", broken, {});
  const never = plan.add("r", "b", increment, { of: lost });
  plan.add("r", "c", increment, { of: never });
  const { events } = await runPlan(plan.toPlan(), toStages(broken, increment));
  const reasons = events.flatMap((event) => (event.type === "task.skipped" ? event.reason : []));
  expect(reasons).toEqual(["r/a failed", "r/a failed"]);
});

test("an interrupt cancels what runs, skips the rest, cleans up and ends with 130", async () => {
  const world = new Set<string>();
  const thing = toThing(world);
  const stop = new AbortController();
  const hold = toStage("hold", async (_input, { scope, signal }) => {
    await scope.acquire(thing, "lamp");
    stop.abort(new Problem("interrupted", "SIGINT"));
    signal.throwIfAborted();
    return 1;
  });
  const plan = new PlanBuilder("stopped");
  plan.add("r", "after", increment, { of: plan.add("r", "hold", hold, {}) });
  const { result, told } = await runPlan(plan.toPlan(), toStages(hold, increment), { signal: stop.signal });
  expect(told.slice(1)).toEqual([
    "started r/hold",
    "acquired thing lamp",
    "canceled r/hold",
    "skipped r/after",
    "run.cleaning",
    "released thing lamp",
    "run interrupted",
  ]);
  expect(result).toMatchObject({ outcome: "interrupted", exitCode: 130, failures: [] });
  expect(world).toEqual(new Set());
});

test("an error that is no Problem is a bug, and its stack is kept", async () => {
  const buggy = toStage("buggy", (): never => {
    throw new TypeError("x is not a function");
  });
  const plan = new PlanBuilder("bug");
  plan.add("r", "a", buggy, {});
  const { result } = await runPlan(plan.toPlan(), toStages(buggy));
  expect(result.failures[0]).toMatchObject({ code: "bug", message: "x is not a function", exitCode: 1 });
  expect(result.failures[0]?.stack).toContain("run.test.ts");
  expect(result.exitCode).toBe(1);
});

test("a listener that throws changes nothing", async () => {
  const plan = new PlanBuilder("deaf");
  plan.add("r", "a", one, {});
  const onEvent = () => {
    throw new Error("the screen is broken");
  };
  const { result } = await runPlan(plan.toPlan(), toStages(one), { onEvent });
  expect(result.outcome).toBe("succeeded");
});

test("a plan that names an unknown stage is not begun", async () => {
  const plan = new PlanBuilder("odd");
  plan.add("r", "a", one, {});
  plan.add("r", "b", broken, {});
  const told: string[] = [];
  const running = runPlan(plan.toPlan(), toStages(one), { onEvent: ({ type }) => told.push(type) });
  await expect(running).rejects.toThrow("task r/b is of a stage that nobody knows: broken");
  expect(told).toEqual([]);
});

test("the journal tells the run from its start to its end", async () => {
  const plan = new PlanBuilder("web");
  plan.add("r", "a", one, {});
  const { journal } = await runPlan(plan.toPlan(), toStages(one));
  const digest = plan.toPlan().tasks[0]?.digest;
  expect(journal.entries).toEqual([
    {
      type: "started",
      version: 1,
      run: "20261122-213330-test",
      spec: "web",
      at: expect.any(String),
      endpointUrl: null,
    },
    { type: "succeeded", task: "r/a", digest, output: 1 },
    { type: "finished", outcome: "succeeded", at: expect.any(String) },
  ]);
});
