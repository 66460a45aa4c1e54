import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import type { RunEvent } from "../../src/run/event.ts";
import type { OnFailure } from "../../src/run/run.ts";
import { runPlan, toStage, toStages, toThing } from "./rig.ts";

test("a region that failed gives its things back while the others are still at work", async () => {
  const { told, left } = await runSlowAndBroken("clean");
  expect(told.indexOf("released thing broken")).toBeGreaterThan(-1);
  expect(told.indexOf("released thing broken")).toBeLessThan(told.indexOf("succeeded slow/work"));
  expect(left).toEqual([]);
});

test("with keep a region that failed holds its things to the end", async () => {
  const { told, left } = await runSlowAndBroken("keep");
  expect(told).not.toContain("released thing broken");
  expect(left).toEqual(["broken"]);
});

test("what would not go in the middle of a run is tried again at its end", async () => {
  let tries = 0;
  const { told, left } = await runSlowAndBroken("clean", async (name) => {
    tries += name === "broken" ? 1 : 0;
    if (name === "broken" && tries === 1) throw new Error("in use");
  });
  expect(tries).toBe(2);
  expect(told).toContain("broken/work says thing broken would not go, and is tried again at the end: in use");
  expect(left).toEqual([]);
});

/** One region fails at once; with `clean` the other ends when it hears that the first gave back, or could not. */
async function runSlowAndBroken(
  onFailure: OnFailure,
  release: (name: string) => Promise<void> = () => Promise.resolve(),
): Promise<{ told: readonly string[]; left: readonly string[] }> {
  const world = new Set<string>();
  const heard: string[] = [];
  let goOn = (): void => undefined;
  const mayEnd = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const thing = toThing(world, release);
  const work = toStage("work", async (_input: object, { scope, task }) => {
    await scope.acquire(thing, task.startsWith("broken") ? "broken" : "slow");
    if (task.startsWith("slow")) {
      if (onFailure === "clean") await mayEnd;
      return null;
    }
    throw new Problem("command-failed", "no");
  });
  const plan = new PlanBuilder("two");
  for (const group of ["slow", "broken"]) plan.add(group, "work", work, {});
  const onEvent = ({ type }: RunEvent): void => {
    if (type === "task.log" || type === "resource.changed") heard.push(type);
    if (heard.filter((one) => one === "resource.changed").length > 2 || heard.includes("task.log")) goOn();
  };
  const { told } = await runPlan(plan.toPlan(), toStages(work), { onFailure, onEvent });
  return { told, left: [...world] };
}
