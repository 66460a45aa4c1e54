import type { Diagnostic, Place } from "../diagnostic.ts";
import { byPlace } from "../document/excerpt.ts";

/** What of a template does not get into the spec, each with its place, the reason, and what to do instead. */
export class Leftovers {
  readonly #found: Diagnostic[] = [];

  /** `what` is the option or block as the user wrote it; never its value, which may be a secret. */
  add(place: Place, what: string, why: string, hint?: string): void {
    this.#found.push(toLeftover(place, what, why, hint));
  }

  push(...leftovers: readonly Diagnostic[]): void {
    this.#found.push(...leftovers);
  }

  /** In the order of the template, each once. */
  list(): readonly Diagnostic[] {
    const keyOf = ({ place, message }: Diagnostic): string =>
      `${place.path}:${place.line}:${place.column} ${message}`;
    const unique = new Map(this.#found.map((each) => [keyOf(each), each]));
    return [...unique.values()].sort(byPlace);
  }
}

/** One thing that is not carried over. */
export function toLeftover(place: Place, what: string, why: string, hint?: string): Diagnostic {
  return {
    code: "not-carried-over",
    severity: "warning",
    message: `${what}: ${why}`,
    ...(hint === undefined ? {} : { hint }),
    place,
  };
}
