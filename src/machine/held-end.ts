import { setTimeout as sleep } from "node:timers/promises";

import { type HeldMachine, persist } from "./held-machine.ts";
import { loader, remover } from "./held-programs.ts";
import { quote } from "./quote.ts";
import { toReaper } from "./reaper.ts";

/** Cleaning must not hold up the end of a run on a machine that is gone. */
const cleaningMs = 15_000;
const graceMs = 2000;
const lookEveryMs = 100;

/** Ends a held command and all that it started, with time to end by itself. Never throws: what matters is why. */
export async function endHeld(held: HeldMachine, name: string): Promise<void> {
  const signal = AbortSignal.timeout(cleaningMs);
  const reap = async (how: "TERM" | "KILL" | "0"): Promise<boolean> => {
    const { command, stdin } = toReaper(name, how);
    const { stdout } = await persist(held, signal, (machine) => machine.run(command, { signal, stdin }));
    return stdout.includes("imgspec-found");
  };
  try {
    for (const how of ["TERM", "KILL"] as const) {
      let left = await reap(how);
      for (const end = Date.now() + graceMs; left && Date.now() < end; left = await reap("0")) {
        await sleep(lookEveryMs);
      }
      if (!left) return;
    }
  } catch {
    // The machine cannot be reached, and so ends with its instance.
  }
}

export async function removeHeld(held: HeldMachine, name: string): Promise<void> {
  const signal = AbortSignal.timeout(cleaningMs);
  const command = ["sh", "-c", loader, "sh", name].map(quote).join(" ");
  await persist(held, signal, (machine) => machine.run(command, { signal, stdin: remover })).catch(
    () => undefined,
  );
}
