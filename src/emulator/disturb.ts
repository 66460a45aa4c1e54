import { setTimeout as delay } from "node:timers/promises";
import type { Call } from "./call.ts";

/**
 * Does to a call what a test asked for: throws the fault, waits, or cuts the connection. `cut` means that there is
 * nobody left to answer, `cut-after` that the answer must be lost.
 */
export async function disturb(call: Call, action: string): Promise<"cut" | "cut-after" | undefined> {
  const disturbance = call.world.rules.meet(action, call.authorization.scope.region);
  if (!disturbance) return undefined;
  if (disturbance.kind === "fault") throw disturbance.fault;
  if (disturbance.kind === "slow") {
    await delay(disturbance.milliseconds, undefined, { ref: false });
    return undefined;
  }
  // The answer of GetObject breaks off by itself; everything else dies while the request is on its way.
  if (disturbance.kind === "cut" && action !== "GetObject") call.incoming.socket.destroy();
  return disturbance.kind;
}
