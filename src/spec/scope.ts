import type { Region } from "../util/region.ts";
import type { Scope } from "./evaluate.ts";
import type { GitState } from "./git.ts";
import type { Combination } from "./matrix.ts";
import type { Value } from "./variable-value.ts";

export type Build = {
  readonly id: string;
  readonly now: Date;
  /** Of the spec, where it is asked for and known. */
  readonly git?: GitState | undefined;
};

/** What expressions may name in one region. Times are UTC: `build.date` is 2026-11-22, `build.time` 213330, and `build.now` is both. */
export function toScope(
  name: string,
  region: Region,
  build: Build,
  variables: ReadonlyMap<string, Value | null>,
  environment: ReadonlyMap<string, string | null>,
  combination: Combination | null,
): Scope {
  const iso = build.now.toISOString();
  return {
    name,
    vars: variables,
    env: environment,
    ...(combination === null ? {} : { matrix: combination }),
    region: new Map(Object.entries(region)),
    build: new Map<string, string | boolean | Date>([
      ["id", build.id],
      ["date", iso.slice(0, 10)],
      ["time", iso.slice(11, 19).replaceAll(":", "")],
      ["now", build.now],
      ...Object.entries(build.git ?? {}),
    ]),
  };
}
