import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** A terminal of its own is what Python makes. */
export const canType: boolean = spawnSync("python3", ["-c", "import pty"]).status === 0;

/**
 * Runs a program at a terminal of its own, waits there for each question and types the answer, `\\r` for Enter. Its standard output is
 * what that terminal showed.
 */
export function typing(...dialog: readonly (readonly [question: string, answer: string])[]): {
  readonly shell: string;
  readonly input: readonly Uint8Array[];
} {
  const script = join(import.meta.dirname, "typist.py");
  return { shell: `exec python3 '${script}' "$@"`, input: [Buffer.from(JSON.stringify(dialog))] };
}
