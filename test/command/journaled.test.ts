import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Interrupt } from "../../src/command/interrupt.ts";
import { journaled } from "../../src/command/journaled.ts";
import { Problem } from "../../src/problem.ts";
import { newProvider } from "../help/stage-rig.ts";

const stopped = new Problem("interrupted", "stopped by SIGINT");

test("work that waits when it is interrupted ends with the interrupt, and not with Node's word for it", async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const working = run(first, second, (signal) => sleep(60_000, "late", { signal }));
  first.abort(stopped);
  await expect(working).rejects.toBe(stopped);
});

test("a second interrupt waits for no answer", async () => {
  const [first, second] = [new AbortController(), new AbortController()];
  const deaf = new Promise<string>(() => undefined);
  const working = run(first, second, () => deaf);
  first.abort(stopped);
  second.abort(stopped);
  await expect(working).rejects.toBe(stopped);
});

async function run(
  first: AbortController,
  second: AbortController,
  work: (signal: AbortSignal) => Promise<string>,
): Promise<string> {
  const stateDirectory = await mkdtemp(join(tmpdir(), "imgspec-journaled-"));
  const interrupt: Interrupt = {
    signal: first.signal,
    abandon: second.signal,
    end: () => undefined,
    [Symbol.dispose]: () => undefined,
  };
  const cloud = { options: {}, account: () => newProvider({}) };
  const task = "us-east-1/test";
  try {
    const log = (): void => undefined;
    return await journaled({
      cloud,
      stateDirectory,
      about: "a test",
      task,
      interrupt,
      log,
      work: () => work(first.signal),
    });
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
  }
}
