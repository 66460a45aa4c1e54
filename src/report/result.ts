import type { Leftover } from "../journal/resource-change.ts";
import type { Plan } from "../plan/plan.ts";
import type { Outcome } from "../run/event.ts";
import type { Failure, RunResult, TaskResult, TaskStatus } from "../run/result.ts";
import { imageOfGroup } from "../util/task-id.ts";
import type {
  BootResult,
  BundleResult,
  LaunchResult,
  PublishResult,
  SourceResult,
  UploadResult,
} from "./sections.ts";
import { toBoot, toBundle, toLaunch, toPublished, toRegistered, toSource, toUpload } from "./sections.ts";

/** What a run made of one image; what it did not come to is null. */
export type ImageResult = {
  readonly region: string;
  /** Tells the images of one region apart; null where there is one. */
  readonly variant: string | null;
  readonly outcome: Outcome;
  readonly imageId: string | null;
  readonly name: string | null;
  readonly source: SourceResult | null;
  readonly launch: LaunchResult | null;
  readonly bundle: BundleResult | null;
  readonly upload: UploadResult | null;
  readonly boot: BootResult | null;
  readonly publish: PublishResult | null;
};

type TaskTiming = {
  readonly id: string;
  readonly title: string;
  readonly status: TaskStatus;
  /** ISO 8601; null when it was never started. */
  readonly startedAt: string | null;
  readonly ms: number | null;
};

/** What is written to imgspec-result.json. Promise to scripts: schemas/result.v1.schema.json. */
export type Result = {
  readonly schema: 1;
  readonly run: string;
  readonly name: string;
  /** The spec as the user named it. */
  readonly spec: string;
  readonly outcome: Outcome;
  readonly exitCode: number;
  readonly startedAt: string;
  readonly ms: number;
  readonly images: readonly ImageResult[];
  readonly tasks: readonly TaskTiming[];
  readonly failures: readonly Failure[];
  readonly leftBehind: readonly Leftover[];
};

/** What the run itself does not know. */
export type ResultFacts = { readonly run: string; readonly spec: string };

/** What a person or a script keeps of a run, also of a failed one. */
export function toResult(plan: Plan, result: RunResult, facts: ResultFacts): Result {
  const groups = [...new Set(plan.tasks.map(({ group }) => group))];
  const titles = new Map(plan.tasks.map(({ id, title }) => [id, title]));
  return {
    schema: 1,
    run: facts.run,
    name: plan.name,
    spec: facts.spec,
    outcome: result.outcome,
    exitCode: result.exitCode,
    startedAt: new Date(result.startedAt).toISOString(),
    ms: result.ms,
    images: groups.map((group) => toImage(group, result)),
    tasks: result.tasks.map(({ id, status, startedAt, ms }) => ({
      id,
      title: titles.get(id) ?? id,
      status,
      startedAt: startedAt === null ? null : new Date(startedAt).toISOString(),
      ms,
    })),
    failures: result.failures,
    leftBehind: [...result.leaked, ...result.left],
  };
}

function toImage(group: string, { tasks, outcome }: RunResult): ImageResult {
  const mine = tasks.filter(({ id }) => id.startsWith(`${group}/`));
  const outputOf = (word: string): TaskResult["output"] =>
    mine.find(({ id }) => id === `${group}/${word}`)?.output ?? null;
  // Behind a boot gate an image is one only once it has passed.
  const gate = mine.find(({ id }) => id === `${group}/boot`);
  const isKept = gate === undefined || gate.status === "succeeded";
  const registered = isKept ? toRegistered(outputOf("register")) : null;
  return {
    ...imageOfGroup(group),
    // One region may be done though another failed.
    outcome: mine.every(({ status }) => status === "succeeded") ? "succeeded" : toFailed(mine, outcome),
    imageId: registered?.imageId ?? null,
    name: registered?.name ?? null,
    source: toSource(outputOf("preflight")),
    launch: toLaunch(outputOf("launch")),
    bundle: toBundle(outputOf("bundle")),
    // Some methods bundle and upload in one task.
    upload: toUpload(outputOf("upload")) ?? toUpload(outputOf("bundle")),
    boot: toBoot(outputOf("boot")),
    publish: toPublished(outputOf("publish")),
  };
}

function toFailed(tasks: readonly TaskResult[], outcome: Outcome): Outcome {
  if (tasks.some(({ status }) => status === "failed")) return "failed";
  return outcome === "interrupted" ? "interrupted" : "failed";
}
