import { resolve } from "node:path";
import type { Cloud } from "../aws/cloud.ts";
import type { ResourceChange } from "../journal/resource-change.ts";
import type { Scope } from "../journal/scope.ts";
import { newRunId } from "../run/run-id.ts";
import { abortable } from "../util/abortable.ts";
import type { Interrupt } from "./interrupt.ts";

/** Work outside of a build that creates things which cost money. */
export type Journaled<T> = {
  readonly cloud: Cloud;
  /** Holds a directory for each run. */
  readonly stateDirectory: string;
  /** What the work is about, as the user named it. */
  readonly about: string;
  /** The task that everything is acquired for, such as `us-east-1/convert`. */
  readonly task: string;
  readonly interrupt: Interrupt;
  log(line: string): void;
  work(scope: Scope, run: { readonly id: string; readonly directory: string }): Promise<T>;
};

/** How long the end may wait for the answer to a creating call. */
const pendingDeadlineMs = 20_000;

/**
 * Does it as a run with a journal: what the work acquired and did not keep is given back when it ends, however it ends,
 * and by `imgspec clean` when this process is killed. What would not go is told on stderr.
 */
export async function journaled<T>(options: Journaled<T>): Promise<T> {
  const { cloud, interrupt, task } = options;
  const [{ openJournal }, { RunScope }] = await Promise.all([
    import("../journal/journal-file.ts"),
    import("../journal/new-scope.ts"),
  ]);
  const now = new Date();
  const id = newRunId(now);
  const directory = resolve(options.stateDirectory, id);
  await using journal = await openJournal(directory);
  const endpointUrl = cloud.options.endpointUrl ?? null;
  await journal.append({
    type: "started",
    version: 1,
    run: id,
    spec: options.about,
    at: now.toISOString(),
    endpointUrl,
  });
  const scope = new RunScope({
    cloud,
    journal,
    abandon: interrupt.abandon,
    onChange: (change) => tellLeaked(change, id),
    log: (_task, line) => options.log(line),
  });
  const [settled] = await Promise.allSettled([
    // A second Ctrl-C waits for no answer: what a creating call brings after it is settled below.
    abortable(options.work(scope.forTask(task, interrupt.signal), { id, directory }), interrupt.abandon),
  ]);
  await scope.settled(pendingDeadlineMs);
  await scope[Symbol.asyncDispose]();
  const failure = interrupt.signal.aborted ? "interrupted" : "failed";
  const outcome = settled.status === "fulfilled" ? "succeeded" : failure;
  // What matters is done; a run that cannot say that it is over is only looked at once more by `clean`.
  await journal.append({ type: "finished", outcome, at: new Date().toISOString() }).catch(() => undefined);
  if (settled.status === "rejected") {
    // Whoever was waiting has only Node's own word for being stopped.
    interrupt.signal.throwIfAborted();
    throw settled.reason;
  }
  return settled.value;
}

function tellLeaked({ change, name, reason, byHand }: ResourceChange, run: string): void {
  if (change !== "leaked") return;
  process.stderr.write(`imgspec: still there: ${name}: ${reason}\n`);
  process.stderr.write(`  all of it: imgspec clean ${run}\n  by hand: ${byHand}\n`);
}
