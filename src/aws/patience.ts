import { setTimeout as sleep } from "node:timers/promises";
import { toStopped } from "./stopped.ts";

/** How long and how often AWS is asked again. Tests pass a shorter one. */
export type Patience = {
  /** Tries of one request, the first included; between them the SDK waits longer and longer, with jitter. */
  readonly attempts: number;
  /** A connection on which nothing moves for so long is given up. */
  readonly silenceMs: number;
  /** The first pause of a wait; each later one is half as long again. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
  /** EC2 is eventually consistent: for so long, what was just created may be "not found". */
  readonly settleMs: number;
  /** A security group cannot go before the network interfaces of its instances, which go late. */
  readonly dependencyMs: number;
};

/** Fit for AWS itself. */
export const defaultPatience: Patience = {
  attempts: 6,
  silenceMs: 120_000,
  firstPauseMs: 500,
  longestPauseMs: 10_000,
  settleMs: 30_000,
  dependencyMs: 240_000,
};

/**
 * Waits once for every step of a loop, longer each time, up to a tenth off the beat so that parallel builds do not
 * ask in step. Rejects with a Problem when the signal is aborted.
 */
export async function* beats(
  patience: Patience,
  signal: AbortSignal,
): AsyncGenerator<number, never, undefined> {
  for (let index = 0; ; index += 1) {
    yield index;
    const pauseMs = Math.min(patience.firstPauseMs * 1.5 ** index, patience.longestPauseMs);
    await pause(pauseMs * (0.9 + Math.random() * 0.2), signal);
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw toStopped(signal.reason, "waiting for AWS");
  });
}
