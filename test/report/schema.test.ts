import { readFile } from "node:fs/promises";
import { Ajv, type AnySchema, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem, problemCodes } from "../../src/problem.ts";
import { toResult } from "../../src/report/result.ts";
import { runPlan, type Told, toStage, toStages, toThing } from "../run/rig.ts";

test("every event of a run that meets every fate is as the schema says", async () => {
  const { told } = await runEveryFate();
  const validate = await load("event");
  for (const event of told.events) {
    expect(validate(event), `${JSON.stringify(event)}: ${JSON.stringify(validate.errors)}`).toBe(true);
  }
  const seen = new Set(told.events.map(({ type }) => type));
  expect(seen.size, [...seen].join()).toBe(11);
});

test("a field that the schema does not know is noticed by the test above", async () => {
  const validate = await load("event");
  expect(validate({ type: "task.started", at: 1, task: "r/a" })).toBe(true);
  expect(validate({ type: "task.started", at: 1, task: "r/a", extra: 1 })).toBe(false);
  expect(validate({ type: "task.started", at: 1 })).toBe(false);
});

test("the results of runs that succeed and fail are as the schema says", async () => {
  const validate = await load("result");
  const { told, plan } = await runEveryFate();
  const failed = toResult(plan, told.result, { run: "r1", spec: "web.yaml" });
  expect(validate(failed), JSON.stringify(validate.errors)).toBe(true);
  expect(failed.leftBehind.map(({ reason }) => reason)).toEqual(["it is in use", null, null]);
  const empty = toResult(
    { version: 1, name: "none", tasks: [] },
    { ...told.result, tasks: [] },
    { run: "", spec: "" },
  );
  expect(validate(empty), JSON.stringify(validate.errors)).toBe(true);
});

test.each(["event", "result"])("every key of the %s schema has a description", async (name) => {
  const missing: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (path.endsWith("/properties") && !hasDescription(inner)) missing.push(`${path}/${key}`);
      visit(inner, `${path}/${key}`);
    }
  };
  visit(await read(name), "");
  expect(missing).toEqual([]);
});

test.each(["event", "result"])("the %s schema knows every code of a problem", async (name) => {
  const text = JSON.stringify(await read(name));
  for (const code of [...problemCodes, "bug"]) expect(text).toContain(`"${code}"`);
});

/** One region that succeeds, one that fails and is left, things that are kept, released and stuck. */
async function runEveryFate(): Promise<{ told: Told; plan: ReturnType<PlanBuilder["toPlan"]> }> {
  const stuck = toThing(new Set(), () => Promise.reject(new Error("it is in use")));
  const make = toStage("make", async (_input: object, { scope, log, progress, task }) => {
    await scope.acquire(task.startsWith("good") ? stuck : toThing(new Set()), `instance of ${task}`);
    await scope.acquire(toThing(new Set()), `object of ${task}`);
    log("hello");
    progress(10);
    progress(20, 20);
    return { imageId: "ami-1" };
  });
  const keep = toStage("keep", async (_input: { on: object }, { scope }) => {
    await scope.acquire(toThing(new Set()), "image");
    await scope.keepOf(["good/keep"]);
    return null;
  });
  const fail = toStage("fail", (): Promise<never> => {
    throw new Problem("command-failed", "exit code 7", { hint: "look", cause: new Error("why") });
  });
  const wait = toStage("wait", (_input: object, { signal }) => {
    return new Promise<null>((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    );
  });
  const builder = new PlanBuilder("fates");
  builder.add(
    "good",
    "keep",
    { ...keep, summarize: () => "kept" },
    { on: builder.add("good", "make", make, {}) },
  );
  const made = builder.add("bad", "make", make, {});
  builder.add("bad", "wait", wait, {});
  builder.add("bad", "keep", keep, { on: builder.add("bad", "fail", fail, { on: made }) });
  const plan = builder.toPlan();
  const stages = toStages(make, { ...keep, summarize: () => "kept" }, fail, wait);
  return { told: await runPlan(plan, stages, { onFailure: "keep" }), plan };
}

async function read(name: string): Promise<AnySchema> {
  return JSON.parse(await readFile(new URL(`../../schemas/${name}.v1.schema.json`, import.meta.url), "utf8"));
}

/** Scripts must put up with fields they do not know; for the tests none is allowed. */
async function load(name: string): Promise<ValidateFunction> {
  const close = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(close);
    if (typeof value !== "object" || value === null) return value;
    const closed = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, close(inner)]));
    return "properties" in closed && "required" in closed
      ? { ...closed, additionalProperties: false }
      : closed;
  };
  const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
  addFormats.default(ajv);
  return ajv.compile(close(await read(name)) as AnySchema);
}

function hasDescription(value: unknown): boolean {
  return typeof value === "object" && value !== null && ("description" in value || "$ref" in value);
}
