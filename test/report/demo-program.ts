import { setTimeout as wait } from "node:timers/promises";
import { openJournal } from "../../src/journal/journal-file.ts";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import { chooseReporter, type OutputMode } from "../../src/report/reporter.ts";
import { toResult } from "../../src/report/result.ts";
import { run } from "../../src/run/run.ts";
import { newDirectory, noCloud, toStage, toStages, toThing } from "../run/rig.ts";

/** A small run as a program of its own, to be looked at in a terminal: `node demo-program.js MODE [fail|keep|leak] [PACE]`. */
const [mode = "auto", how = "", pace = "1"] = process.argv.slice(2);
const sleep = (ms: number, _value?: undefined, options?: { signal: AbortSignal }): Promise<void> =>
  wait(ms * Number(pace), undefined, options);
const world = new Set<string>();
const thing = toThing(world, async (name) => {
  await sleep(300);
  if (how === "leak" && name.includes("us-east-1")) throw new Error("DependencyViolation: it is in use");
});
const stop = new AbortController();
const abandon = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => (stop.signal.aborted ? abandon : stop).abort(new Problem("interrupted", name)));
}

const launch = toStage("launch.ec2", async (_input: object, { scope, task, log, signal }) => {
  await sleep(200, undefined, { signal });
  await scope.acquire(thing, `key pair of ${task}`);
  await scope.acquire(thing, `instance of ${task}`);
  log("waiting for SSH");
  await sleep(300, undefined, { signal });
  return { instanceId: "i-0123", instanceType: "m3.medium" };
});
const provision = toStage("provision.shell", async (_input: { on: object }, { log, task, signal }) => {
  for (let line = 0; line < 20; line += 1) {
    await sleep(60, undefined, { signal });
    log(
      `\u001b[32mSetting up\u001b[0m package-${line} (1.${line}.0-1ubuntu${line}) with a rather long line that goes on and on …`,
    );
    if (how === "fail" && line === 12 && task.startsWith("cn")) {
      throw new Problem("command-failed", "scripts/install.sh ended with exit code 7", {
        hint: "run it by hand",
      });
    }
  }
  return {};
});
const bundle = toStage("bundle.native", async (_input: { of: object }, { progress, signal }) => {
  for (let done = 0; done <= 100; done += 2) {
    await sleep(40, undefined, { signal });
    progress(done * 9_000_000, 900_000_000);
  }
  return {
    name: "image",
    digest: "00",
    sizeBytes: 900_000_000,
    bundledSizeBytes: 300_000_000,
    parts: [1, 2, 3],
  };
});
const register = toStage("register", async (_input: { of: object }, { task }) => {
  await sleep(100);
  return { imageId: `ami-${task.length}`, name: "web-base-2026.11" };
});
const plan = new PlanBuilder("web-base");
for (const group of ["us-east-1", "cn-north-1", "us-gov-west-1"]) {
  const on = plan.add(group, "launch", { ...launch, title: "Launch an instance" }, {});
  const of = plan.add(group, "provision.1", { ...provision, title: "scripts/install.sh" }, { on });
  const bundled = plan.add(group, "bundle", { ...bundle, title: "Bundle the root volume" }, { of });
  plan.add(
    group,
    "register",
    { ...register, title: "Register the image", summarize: ({ imageId }) => imageId },
    { of: bundled },
  );
}

await using directory = await newDirectory();
await using journal = await openJournal(directory.path);
await using reporter = await chooseReporter({
  output: mode as OutputMode,
  stream: process.stdout,
  environment: process.env,
  color: "auto",
  onClosed: (problem) => stop.abort(problem),
});
const result = await run(plan.toPlan(), {
  stages: toStages(launch, provision, bundle, register),
  cloud: noCloud,
  journal,
  run: { id: "20261122-213330-demo", directory: directory.path },
  signal: stop.signal,
  abandon: abandon.signal,
  onFailure: how === "keep" ? "keep" : "clean",
  secrets: new Map(),
  onEvent: (event) => reporter.report(event),
});
await reporter.finish(toResult(plan.toPlan(), result, { run: "20261122-213330-demo", spec: "web.yaml" }));
process.stderr.write(`left in the world: ${[...world].length}\n`);
process.exitCode = result.exitCode;
