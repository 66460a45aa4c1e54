import { Problem } from "../problem.ts";

/**
 * What a file system's refusal means: `disk-full` when there is no room, else `file-unreadable` (files and directories
 * that cannot be read or written). A Problem stays what it is; what is no error of the system is a bug and stays one.
 */
export function toFileProblem(what: string, cause: unknown): unknown {
  if (cause instanceof Problem || !(cause instanceof Error && "code" in cause)) return cause;
  if (cause.code === "ENOSPC" || cause.code === "EDQUOT") {
    return new Problem("disk-full", `${what}: the disk is full`, { hint: "free some room", cause });
  }
  return new Problem("file-unreadable", `${what}: ${reasons[String(cause.code)] ?? cause.message}`, {
    cause,
  });
}

/** Does work on files; its refusals become Problems that begin with these words. */
export async function withFiles<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw toFileProblem(what, cause);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file or directory",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  EISDIR: "it is a directory",
  ENOTDIR: "it is no directory",
  ENOTEMPTY: "it is a directory that is not empty",
  EEXIST: "it exists already",
  EFBIG: "the file system allows no files of this size",
  EIO: "the device reports an error",
  EBUSY: "it is in use",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "the name is too long",
};
