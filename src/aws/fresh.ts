import type { Problem } from "../problem.ts";
import { faultOf } from "./fault-problem.ts";
import { beats, type Patience } from "./patience.ts";

/**
 * What was created a moment ago. EC2 answers from copies of its state, some of which learn of a new thing late
 * (EC2 API Reference, "Eventual consistency"): for these, and for these only, "not found" means "not yet".
 */
export class Fresh {
  readonly #patience: Patience;
  readonly #until = new Map<string, number>();

  constructor(patience: Patience) {
    this.#patience = patience;
  }

  add(id: string): void {
    this.#until.set(id, Date.now() + this.#patience.settleMs);
  }

  /** What was given back is not "not yet" but "no longer" there. */
  forget(id: string): void {
    this.#until.delete(id);
  }

  /** Does something with these ids, again while EC2 has not yet heard of a fresh one of them. */
  async settled<T>(ids: readonly string[], signal: AbortSignal, act: () => Promise<T>): Promise<T> {
    for await (const _beat of beats(this.#patience, signal)) {
      try {
        return await act();
      } catch (error) {
        // EC2 quotes what it has not found; of a request that names several things, only a fresh one is worth a wait.
        const missing = isNotFound(error) ? ids.filter((id) => error.message.includes(id)) : [];
        if (!missing.some((id) => this.#isFresh(id))) throw error;
      }
    }
    // `beats` never ends by itself, which the compiler cannot see through `for await`.
    throw new Error("unreachable");
  }

  #isFresh(id: string): boolean {
    return Date.now() < (this.#until.get(id) ?? 0);
  }
}

/** Whether EC2 said that something does not exist, or no longer does. */
export function isNotFound(error: unknown): error is Problem {
  const code = faultOf(error)?.code ?? "";
  return code.endsWith(".NotFound") || code.endsWith(".Unavailable");
}
