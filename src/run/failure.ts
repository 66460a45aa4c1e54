import { exitCodeOf, Problem } from "../problem.ts";
import type { Mask } from "./mask.ts";
import type { Failure } from "./result.ts";

/** A chain of causes can be a loop. */
const mostCauses = 8;

/** What a stage threw, as plain and masked text. Whatever is not a Problem is a bug of ours, and keeps its stack. */
export function toFailure(
  task: string,
  error: unknown,
  about: { readonly stageExitCode: number; readonly tail: readonly string[]; readonly mask: Mask },
): Failure {
  const { mask, tail, stageExitCode } = about;
  const problem = error instanceof Problem ? error : undefined;
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    task,
    code: problem?.code ?? "bug",
    message: mask.text(error instanceof Error ? error.message : String(error)),
    hint: problem?.hint === undefined ? null : mask.text(problem.hint),
    file: problem?.file ?? null,
    causes: causesOf(error).map((cause) => mask.text(cause)),
    tail: tail.map((line) => mask.text(line)),
    stack: problem ? null : mask.text(stack),
    exitCode: problem ? (exitCodeOf(problem.code) ?? stageExitCode) : 1,
  };
}

function causesOf(error: unknown): readonly string[] {
  const causes: string[] = [];
  let inner = error instanceof Error ? error.cause : undefined;
  while (inner instanceof Error && causes.length < mostCauses) {
    if (inner.message !== "") causes.push(inner.message);
    inner = inner.cause;
  }
  return causes;
}
