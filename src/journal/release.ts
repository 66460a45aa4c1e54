import type { Cloud } from "../aws/cloud.ts";
import { abortable } from "../util/abortable.ts";
import type { Json } from "../util/json.ts";
import type { AnyResource } from "./resource.ts";

/** What can end a release: its own deadline, a second Ctrl-C, and, in the middle of a run, the task that asked. */
export type ReleaseSignals = {
  readonly deadlineMs: number;
  readonly abandon: AbortSignal;
  readonly task?: AbortSignal;
};

export type ReleaseOptions = ReleaseSignals & { readonly cloud: Cloud; log(line: string): void };

/**
 * Gives one thing back. Resolves with null, or with the reason why it is still there; never throws, and never waits
 * longer than its signals say, even for a release that pays them no heed.
 */
export async function release(
  resource: AnyResource,
  record: Json,
  options: ReleaseOptions,
): Promise<string | null> {
  const { cloud, log, abandon, task, deadlineMs } = options;
  if (abandon.aborted) return "cleaning up was stopped";
  const deadline = new AbortController();
  // Not AbortSignal.timeout: its timer would not keep the process alive while we wait.
  const timer = setTimeout(
    () => deadline.abort(new Error(`no end after ${deadlineMs / 1000} s`)),
    deadlineMs,
  );
  const signal = AbortSignal.any([abandon, deadline.signal, ...(task ? [task] : [])]);
  try {
    // The record came from this kind's acquire, here or in another process.
    await abortable(resource.release(record as never, { cloud, log, signal }), signal);
    return null;
  } catch (error) {
    return abandon.aborted ? "cleaning up was stopped" : toMessage(error);
  } finally {
    clearTimeout(timer);
  }
}

function toMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
