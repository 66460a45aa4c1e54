import { type Node, scalarsOf } from "../document/node.ts";

/** The state of the Git repository that a spec lies in. */
export type GitState = {
  /** Of the commit that is checked out, 40 hexadecimal digits. */
  readonly commit: string;
  /** Whether anything differs from it. */
  readonly dirty: boolean;
};

/** `undefined` where no expression asks for it (starting Git takes as long as all else of `validate`), where there is no repository or no commit yet, and without Git. */
export async function gitStateFor(root: Node, directory: string): Promise<GitState | undefined> {
  const isAsked = [...scalarsOf(root)].some(
    ([{ value }]) =>
      typeof value === "string" && value.includes("${{") && /\bbuild\b(?!\.(id|date|time|now)\b)/.test(value),
  );
  if (!isAsked) return undefined;
  const [{ execFile }, { promisify }] = await Promise.all([
    import("node:child_process"),
    import("node:util"),
  ]);
  const git = (...words: string[]): Promise<string> =>
    promisify(execFile)("git", ["-C", directory, ...words], { maxBuffer: 64 * 1024 ** 2 }).then(
      ({ stdout }) => stdout.trim(),
    );
  try {
    const [commit, status] = await Promise.all([
      git("rev-parse", "HEAD"),
      git("status", "--porcelain", "--", ".", ":!.imgspec", ":!imgspec-result.json"),
    ]);
    return { commit, dirty: status !== "" };
  } catch {
    return undefined;
  }
}
