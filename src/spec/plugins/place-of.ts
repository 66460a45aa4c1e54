import { fileURLToPath } from "node:url";

/** Where an error of a plugin was thrown, `thrown in /path/greeting.mjs:12:9`; `undefined` where its stack does not tell. */
export function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const [, place] = /(file:\/\/\/[^\s)]+:\d+)/.exec(stack) ?? [];
  return place === undefined ? undefined : `thrown in ${toPath(place)}`;
}

/** `file:///srv/a%20b.mjs:3:1` -> `/srv/a b.mjs:3:1`. */
function toPath(place: string): string {
  const [, url = "", rest = ""] = /^(.*?)((?::\d+)+)$/.exec(place) ?? [];
  return `${fileURLToPath(url)}${rest}`;
}
