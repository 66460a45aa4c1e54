import type { Journal } from "./journal.ts";
import { RunScope, type ScopeOptions } from "./new-scope.ts";
import type { AnyResource } from "./resource.ts";
import type { Leftover } from "./resource-change.ts";

export type CleanOptions = ScopeOptions & {
  /** Every kind that a journal may name. */
  readonly resources: ReadonlyMap<string, AnyResource>;
};

/**
 * Gives back what a dead process left, by its journal alone and by the same way that a run uses. Resolves with what
 * would not go; never throws.
 */
export async function clean(
  journal: Journal,
  options: Omit<CleanOptions, "journal">,
): Promise<readonly Leftover[]> {
  const scope = new RunScope({ ...options, journal });
  scope.takeOver(options.resources);
  await scope[Symbol.asyncDispose]();
  return scope.leaked;
}
