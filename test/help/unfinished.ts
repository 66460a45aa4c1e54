import { appendFile } from "node:fs/promises";
import { relative } from "node:path";
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node";

/**
 * Names the files whose process died under them, which vitest does not do. Where nothing else went wrong it also writes
 * their names into the file that IMGSPEC_TEST_UNFINISHED names, a line each, for who wants to run them again.
 */
export class UnfinishedReporter implements Reporter {
  async onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    _reason: TestRunEndReason,
  ): Promise<void> {
    const unfinished = modules.filter(isUnfinished).map(({ moduleId }) => relative("", moduleId));
    if (unfinished.length === 0) return;
    process.stderr.write(
      `the process of these files died:\n${unfinished.map((name) => `  ${name}\n`).join("")}`,
    );
    const list = process.env["IMGSPEC_TEST_UNFINISHED"];
    if (list === undefined || modules.some((module) => module.state() === "failed")) return;
    if (errors.some(({ cause }) => (cause as SerializedError | undefined)?.message !== died)) return;
    await appendFile(list, unfinished.map((name) => `${name}\n`).join(""));
  }
}

const died = "Worker exited unexpectedly";

function isUnfinished(module: TestModule): boolean {
  const state = module.state();
  if (state === "pending" || state === "queued") return true;
  return [...module.children.allTests()].some((test) => test.result().state === "pending");
}
