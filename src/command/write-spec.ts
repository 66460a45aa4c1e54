import { writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Problem } from "../problem.ts";

/** Writes a spec that was made for the user. Throws `usage-wrong` where a file is already, with `instead` as the hint. */
export async function writeSpec(file: string, text: string, force: boolean, instead: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: force ? "w" : "wx" });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const [message, hint] =
      code === "EEXIST"
        ? [`${file} exists already`, instead]
        : [
            `cannot write ${file}: ${code}`,
            `see that ${dirname(resolve(file))} is a folder that exists and is yours`,
          ];
    throw new Problem("usage-wrong", message, { hint, cause });
  }
}
