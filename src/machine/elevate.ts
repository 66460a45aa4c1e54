import { quote } from "./quote.ts";

/** A command line that runs these words as root: through sudo (which must not ask), or as they are if the user is root. */
export function elevate(words: readonly string[]): string {
  const program = `[ "$(id -u)" = 0 ] || set -- sudo -n "$@"; exec "$@"`;
  return `sh -c ${[program, "sh", ...words].map(quote).join(" ")}`;
}
