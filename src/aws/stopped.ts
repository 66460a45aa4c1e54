import { Problem } from "../problem.ts";

/** Why something was not waited for any longer: the signal's reason, as a Problem. */
export function toStopped(reason: unknown, what: string): Problem {
  if (reason instanceof Problem) return reason;
  const late = reason instanceof Error && reason.name === "TimeoutError";
  return late
    ? new Problem("timeout", `${what} took longer than it may`, { cause: reason })
    : new Problem("interrupted", `${what} was called off`, { cause: reason });
}
