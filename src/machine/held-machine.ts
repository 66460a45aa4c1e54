import { setTimeout as sleep } from "node:timers/promises";

import { Problem } from "../problem.ts";
import type { Machine } from "./machine.ts";

/** A machine that is logged in to again when its connection was lost. Closing it closes the connection. */
export type HeldMachine = AsyncDisposable & {
  /** The current connection, a new one when that is lost. Rejects when there is no way in any more. */
  machine(): Promise<Machine>;
};

/** A connection that is cut as often as this without a sign of life in between will not get better. */
const mostLosses = 10;
/** ssh2 ends the commands of a broken connection a little before it tells that the connection is gone. */
const lossIsToldWithinMs = 1000;

/** Holds on to a machine by a way to log in to it; `log` hears of every loss. */
export function holdMachine(logIn: () => Promise<Machine>, log?: (line: string) => void): HeldMachine {
  let current: Promise<Machine> | undefined;
  let closed = false;
  const again = async (): Promise<Machine> => {
    const machine = await logIn();
    if (closed) await machine[Symbol.asyncDispose]();
    return machine;
  };
  const renew = (): Promise<Machine> => {
    const opening = again();
    // The next who asks tries once more.
    opening.catch(() => {
      if (current === opening) current = undefined;
    });
    current = opening;
    return opening;
  };
  return {
    machine: async () => {
      if (closed) throw new Problem("connect-failed", "the machine was let go");
      if (current === undefined) return renew();
      const asked = current;
      const machine = await asked;
      if (!machine.lost.aborted) return machine;
      // Of several who find it lost, the first logs in for all.
      if (current !== asked) return current ?? renew();
      log?.(`${reasonOf(machine.lost)}; logging in again`);
      return renew();
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      const machine = await current?.catch(() => undefined);
      await machine?.[Symbol.asyncDispose]();
    },
  };
}

/**
 * Does something over the connection, again on a new one whenever it was lost; so it has to be something that may be
 * done twice. `hadLife` is asked after a loss whether the machine was heard of since the last one.
 */
export async function persist<T>(
  held: HeldMachine,
  signal: AbortSignal,
  work: (machine: Machine) => Promise<T>,
  hadLife: () => boolean = () => false,
): Promise<T> {
  for (let losses = 1; ; losses += 1) {
    signal.throwIfAborted();
    const machine = await unlessAborted(held.machine(), signal);
    try {
      return await work(machine);
    } catch (error) {
      signal.throwIfAborted();
      if (!(await isLost(machine, error))) throw error;
      if (hadLife()) losses = 0;
      if (losses >= mostLosses) throw error;
    }
  }
}

/** The login goes on for whoever asks next. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}

async function isLost(machine: Machine, error: unknown): Promise<boolean> {
  if (!machine.lost.aborted && error instanceof Problem && error.code === "connect-failed") {
    await sleep(lossIsToldWithinMs, undefined, { signal: machine.lost }).catch(() => undefined);
  }
  return machine.lost.aborted;
}

function reasonOf(lost: AbortSignal): string {
  return lost.reason instanceof Error ? lost.reason.message : "the connection was lost";
}
