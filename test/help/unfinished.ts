import { appendFile } from "node:fs/promises";
import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Names the files whose process died under them, which vitest does not do. The names of these, and of files in which
 * something failed, it also writes into the file that IMGSPEC_TEST_AGAIN names, a line each, for who wants to run them again.
 */
export class UnfinishedReporter implements Reporter {
  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const unfinished = namesOf(modules.filter(isUnfinished));
    if (unfinished !== "") process.stderr.write(`the process of these files died:\n${unfinished}`);
    const list = process.env["IMGSPEC_TEST_AGAIN"];
    const failed = namesOf(modules.filter((module) => module.state() === "failed"));
    if (list !== undefined) await appendFile(list, unfinished + failed);
  }
}

function namesOf(modules: readonly TestModule[]): string {
  return modules.map(({ moduleId }) => `${relative("", moduleId)}\n`).join("");
}

function isUnfinished(module: TestModule): boolean {
  const state = module.state();
  if (state === "pending" || state === "queued") return true;
  return [...module.children.allTests()].some((test) => test.result().state === "pending");
}
