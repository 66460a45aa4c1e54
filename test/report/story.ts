import { PassThrough } from "node:stream";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { Problem } from "../../src/problem.ts";
import { chooseReporter, type ReporterOptions } from "../../src/report/reporter.ts";
import { type Result, toResult } from "../../src/report/result.ts";
import { runPlan, toStage, toStages, toThing } from "../run/rig.ts";

export type Shown = { readonly text: string; readonly result: Result };

/** A build of one region that does all that a build can do, shown by a reporter; `fails`: its script ends with 7. */
export async function showStory(fails: boolean, options: Partial<ReporterOptions> = {}): Promise<Shown> {
  const stream = new PassThrough();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await using reporter = await chooseReporter({
    output: "plain",
    stream,
    environment: {},
    color: "auto",
    onClosed: () => undefined,
    ...options,
  });
  const { plan, stages } = toStory(fails);
  const { result } = await runPlan(plan, stages, { onEvent: (event) => reporter.report(event) });
  const shown = toResult(plan, result, { run: "20261122-213330-test", spec: "web.yaml" });
  await reporter.finish(shown);
  return { text: Buffer.concat(chunks).toString(), result: shown };
}

/** What a clock put there, taken out. */
export function withoutClock(text: string): string {
  return text
    .replace(/^\d\d:\d\d:\d\d/gm, "HH:MM:SS")
    .replace(/\b\d+\.\ds/g, "<time>")
    .replace(/"(at|ms)":\d+/g, '"$1":0');
}

function toStory(fails: boolean): {
  plan: ReturnType<PlanBuilder["toPlan"]>;
  stages: ReturnType<typeof toStages>;
} {
  const stuck = toThing(new Set(), () => Promise.reject(new Error("DependencyViolation: it is in use")));
  const launch = toStage("launch.ec2", async (_input: object, { scope, log }) => {
    await scope.acquire(fails ? stuck : toThing(new Set()), "security group sg-1");
    await scope.acquire(toThing(new Set()), "instance i-1");
    log("waiting for SSH");
    return { instanceId: "i-1", instanceType: "m3.medium" };
  });
  const shell = toStage("provision.shell", (_input: { on: object }, { log }) => {
    log("\u001b[1mReading\u001b[0m package lists…\r\nno such package: ngnix\u0007");
    const cause = new Error("exec: exit status 7");
    const hint = "run the script by hand on the instance";
    if (fails) throw new Problem("command-failed", "install.sh ended with exit code 7", { hint, cause });
    return {};
  });
  const bundle = toStage("bundle.native", (_input: { on: object }, { progress }) => {
    for (let done = 0; done <= 1000; done += 1) progress(done * 1_048_576, 1_048_576_000);
    return {
      name: "image",
      digest: "d1",
      sizeBytes: 1_048_576_000,
      bundledSizeBytes: 5_242_880,
      parts: [1, 2],
    };
  });
  const upload = toStage("upload.s3", (_input: { bundle: object }) => {
    return {
      bucket: "acme",
      manifest: { key: "web/image.manifest.xml" },
      location: "acme/web/image.manifest.xml",
    };
  });
  const register = {
    ...toStage("register", (_input: { of: object }) => ({ imageId: "ami-0123", name: "web-2026.11" })),
    summarize: ({ imageId }: { imageId: string }) => imageId,
  };
  const plan = new PlanBuilder("web");
  const on = plan.add("us-east-1", "launch", launch, {}, "Launch an instance");
  const built = plan.add("us-east-1", "provision.1", shell, { on }, "install.sh");
  const bundled = plan.add("us-east-1", "bundle", bundle, { on: built }, "Bundle the root volume");
  const of = plan.add("us-east-1", "upload", upload, { bundle: bundled }, "Upload the bundle");
  plan.add("us-east-1", "register", register, { of }, "Register the image");
  return { plan: plan.toPlan(), stages: toStages(launch, shell, bundle, upload, register) };
}
