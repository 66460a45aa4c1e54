import { createHash } from "node:crypto";
import type { Environment } from "@marcbachmann/cel-js";

/** What expressions can call beside CEL's own. `read` gives the text of a local file, or throws what is wrong with it. */
export function addFunctions(environment: Environment, read: (path: string) => string): void {
  environment
    .registerFunction("file(string): string", read)
    .registerFunction("sha256(string): string", (text: string) =>
      createHash("sha256").update(text).digest("hex"),
    )
    .registerFunction("base64(string): string", (text: string) => Buffer.from(text).toString("base64"))
    .registerFunction("string.replace(string, string): string", replace)
    .registerFunction("google.protobuf.Timestamp.format(string): string", format);
}

const maxCharacters = 2 ** 20;

/** Throws where the text would grow beyond a MiB: replacements of replacements soon fill any memory. */
function replace(text: string, from: string, to: string): string {
  const parts = from === "" ? [...text, "", ""] : text.split(from);
  if (text.length + (parts.length - 1) * to.length > maxCharacters)
    throw new Error("the text would be longer than a MiB");
  return text.replaceAll(from, () => to);
}

/** The verbs of strftime that numbers can say, in UTC. Throws for another. */
function format(time: Date, pattern: string): string {
  const iso = time.toISOString();
  return pattern.replaceAll(/%(.?)/g, (_, verb: string) => {
    const stretch = stretches[verb];
    if (verb === "%") return "%";
    if (stretch) return iso.slice(...stretch);
    throw new Error(
      `%${verb} is not one of ${Object.keys(stretches)
        .map((known) => `%${known}`)
        .join(" ")} %%`,
    );
  });
}

/** Where they stand in 2026-11-22T21:33:30.000Z. */
const stretches: Readonly<Record<string, readonly [number, number]>> = {
  Y: [0, 4],
  m: [5, 7],
  d: [8, 10],
  H: [11, 13],
  M: [14, 16],
  S: [17, 19],
};
