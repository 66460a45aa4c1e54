import type { Json } from "../util/json.ts";
import type { Resource } from "./resource.ts";

/** Holds what a run acquired. The run gives everything back in reverse when it ends. */
export type Scope = {
  /** Acquires and journals; resolves with the record once it is on disk. */
  acquire<I, R extends Json>(resource: Resource<I, R>, input: I): Promise<R>;
  /** Gives back, in reverse order, what the tasks named here acquired. What does not go is told, and kept for the end. */
  releaseOf(tasks: readonly string[]): Promise<void>;
  /** Journals (`kept`) that what these tasks acquired is wanted: it is the product, and no longer given back at the end. Scratch is. */
  keepOf(tasks: readonly string[]): Promise<void>;
};
