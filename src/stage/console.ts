import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import { toPattern } from "../util/pattern.ts";
import type { StageContext } from "./stage.ts";

type Speaker = { readonly account: Account; readonly instanceId: string };

/** Enough for a panic and what led to it. */
const shownLines = 15;

/** Resolves once a pattern (of lines: `^` and `$` are their ends) appears in the console output of an instance. */
export async function waitForConsole(
  { account, instanceId }: Speaker,
  pattern: string,
  timeoutSeconds: number,
  { cloud, signal, log }: StageContext,
): Promise<void> {
  const provider = cloud.account(account);
  const marker = toPattern(pattern, { isMultiline: true });
  const deadline = Date.now() + timeoutSeconds * 1000;
  log(`waiting until the console output of ${instanceId} shows ${pattern}`);
  for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 1.5, 10_000)) {
    const { state, stateReason } = await provider.describeInstance(instanceId, signal);
    const text = (await provider.consoleOutput(instanceId, signal)).replaceAll("\r\n", "\n");
    if (marker.test(text)) {
      log(`the console output shows: ${text.split("\n").find(marker.test)?.trim() ?? pattern}`);
      return;
    }
    const ended = state === "running" ? null : `is ${state} (${stateReason ?? "no reason given"})`;
    if (ended === null && Date.now() + pauseMs < deadline) {
      await sleep(pauseMs, undefined, { signal });
      continue;
    }
    const why =
      ended === null
        ? `the console output of ${instanceId} did not show ${pattern} within ${timeoutSeconds} s`
        : `${instanceId} ${ended}, and its console output did not show ${pattern}`;
    throw new Problem(ended === null ? "timeout" : "boot-failed", `${why}; ${toEnd(text)}`, {
      hint: "raise verify.timeout, or look for something else in verify.console",
    });
  }
}

function toEnd(text: string): string {
  const lines = lastConsoleLines(text);
  return lines.length === 0 ? "it is empty" : `it ends with\n  ${lines.join("\n  ")}`;
}

/** The end of a console output. */
export function lastConsoleLines(text: string): readonly string[] {
  return text.trim() === "" ? [] : text.trimEnd().split(/\r?\n/).slice(-shownLines);
}
