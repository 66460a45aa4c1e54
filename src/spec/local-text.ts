import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";

const limitBytes = 256 * 1024;

/** The text of a local file for `file()` in expressions, at most 256 KiB of UTF-8. Throws an Error that says what is wrong. */
export function readLocalText(directory: string, path: string): string {
  const absolute = resolve(directory, path);
  try {
    const stats = statSync(absolute);
    if (!stats.isFile()) throw new Error("is no file");
    if (stats.size > limitBytes) throw new Error("is larger than 256 KiB");
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(absolute));
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const said = code === undefined ? message : (reasons[code] ?? "cannot be read");
    throw new Error(`"${path}" ${said}`, { cause });
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read by this user",
  ERR_ENCODING_INVALID_ENCODED_DATA: "is not UTF-8 text",
};
