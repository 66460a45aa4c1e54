import { Problem } from "../problem.ts";

/** Does something to a file of the run's; a disk that is full or may not be written is the user's to mend. */
export async function withRoom<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
    throw new Problem("disk-full", `no room on the disk for ${path}`, {
      hint: "free some disk, or choose another place with --state-dir",
      cause,
    });
  }
}
