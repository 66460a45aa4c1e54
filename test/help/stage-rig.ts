import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cloud, CloudOptions } from "../../src/aws/cloud.ts";
import { defaultPatience } from "../../src/aws/patience.ts";
import type { Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import type { Entry } from "../../src/journal/journal.ts";
import { openJournal } from "../../src/journal/journal-file.ts";
import { RunScope } from "../../src/journal/new-scope.ts";
import type { ResourceChange } from "../../src/journal/resource-change.ts";
import { Mask } from "../../src/run/mask.ts";
import type { Stage, StageContext } from "../../src/stage/stage.ts";
import type { Json } from "../../src/util/json.ts";

/** What a stage has around it in a run, with a real journal. Disposing gives back what stages acquired. */
export type StageRig = AsyncDisposable & {
  readonly cloud: Cloud;
  readonly run: { readonly id: string; readonly directory: string };
  /** What stages logged. */
  readonly lines: readonly string[];
  readonly progress: readonly { readonly done: number; readonly total: number | undefined }[];
  readonly changes: readonly ResourceChange[];
  readonly entries: readonly Entry[];
  /** What stages had masked. */
  readonly hidden: readonly string[];
  context(task: string, signal?: AbortSignal): StageContext;
  /** Runs a stage as the task `us-east-1/KIND`. */
  stage<I, O extends Json>(stage: Stage<I, O>, input: I, signal?: AbortSignal): Promise<O>;
  /** As at the end of a run. */
  giveBack(): Promise<readonly string[]>;
};

/** Pauses that a test does not notice. */
const patience = { ...defaultPatience, attempts: 3, firstPauseMs: 5, longestPauseMs: 50 };

let count = 0;

export async function newStageRig(
  where: CloudOptions | Provider,
  secrets: Readonly<Record<string, string>> = {},
): Promise<StageRig> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-stage-"));
  const journal = await openJournal(directory);
  const cloud: Cloud =
    "registerImage" in where ? { options: {}, account: () => where } : toCloud(where, patience);
  count += 1;
  const run = { id: `20261122-213330-${process.pid}x${count}`, directory };
  const lines: string[] = [];
  const progress: { done: number; total: number | undefined }[] = [];
  const changes: ResourceChange[] = [];
  const scope = new RunScope({
    cloud,
    journal,
    abandon: new AbortController().signal,
    onChange: (change) => changes.push(change),
    log: (_task, line) => lines.push(line),
  });
  const hidden: string[] = [];
  const never = new AbortController().signal;
  const context = (task: string, signal = never): StageContext => ({
    signal,
    cloud,
    run,
    task,
    scope: scope.forTask(task, signal),
    log: (line) => lines.push(line),
    progress: (done, total) => progress.push({ done, total }),
    secret: ({ $secret }) => secrets[$secret] ?? "",
    hide: (value) => hidden.push(value),
    masked: (text) => new Mask([...Object.values(secrets), ...hidden]).text(text),
  });
  return {
    cloud,
    run,
    lines,
    progress,
    changes,
    hidden,
    entries: journal.entries,
    context,
    stage: (stage, input, signal) => stage.run(input, context(`us-east-1/${stage.kind}`, signal)),
    giveBack: async () => {
      await scope[Symbol.asyncDispose]();
      return scope.leaked.map(({ name }) => name);
    },
    async [Symbol.asyncDispose]() {
      await scope[Symbol.asyncDispose]();
      await journal[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A cloud of a few answers; whatever else is asked of it fails the test. */
export function newProvider(answers: Partial<Provider>): Provider {
  return new Proxy({ region: "us-east-1", ...answers } as Provider, {
    get: (target, name) => {
      const answer: unknown = Reflect.get(target, name);
      if (answer !== undefined || typeof name === "symbol") return answer;
      return () => Promise.reject(new Error(`the test did not expect ${name}`));
    },
    has: () => true,
  });
}
