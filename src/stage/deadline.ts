import type { Problem } from "../problem.ts";

/** A signal that aborts with the problem when the time is over. Disposing it ends the wait. */
export function toDeadline(problem: Problem, seconds: number): Disposable & { readonly signal: AbortSignal } {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(problem), seconds * 1000);
  return { signal: late.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}
