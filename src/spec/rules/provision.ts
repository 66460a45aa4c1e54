import type { Path } from "../../document/node.ts";
import type { Finding } from "../finding.ts";
import { isPathWord } from "../paths.ts";
import { type Rule, type RuleContext, type Step, stepRule } from "./rule.ts";

/** A shell step has one script, and it is not empty. */
export const oneScript: Rule = stepRule(function* ({ written: { shell }, at }, { isRefused }) {
  const here = [...at, "shell"];
  if (!shell || isRefused(here) || isRefused([...here, "file"]) || isRefused([...here, "inline"])) return;
  const { file, inline } = shell;
  if (file !== undefined && inline !== undefined) {
    const message = "shell has both file and inline";
    yield { code: "script-ambiguous", at: [...here, "inline"], on: "key", message, hint: "keep one of them" };
  } else if (file === undefined && inline === undefined) {
    const hint = "give the path of a script as file, or its text as inline";
    yield { code: "script-missing", at: here, on: "key", message: "shell has no script", hint };
  } else if ((file ?? inline ?? "").trim() === "") {
    const key = file === undefined ? "inline" : "file";
    yield { code: "script-missing", at: [...here, key], message: `${key} is empty` };
  }
});

/** What a step takes from this machine is there. */
export const filesExist: Rule = stepRule(function* (
  { written: { shell, upload, local, ansible, program }, at },
  context,
) {
  if (shell) yield* file(shell.file, "file", [...at, "shell", "file"], context);
  if (upload) yield* file(upload.from, "any", [...at, "upload", "from"], context);
  if (local) yield* file(local.workdir, "any", [...at, "local", "workdir"], context);
  if (ansible && !context.isRefused([...at, "ansible"])) yield* filesOf(ansible, [...at, "ansible"], context);
  const words = [...at, "program", "command"];
  if (!program || context.isRefused(words)) return;
  for (const [index, word] of program.command.entries()) {
    const here = [...words, index];
    if (!context.isRefused(here) && isPathWord(word)) yield* file(word, "file", here, context);
  }
});

function* filesOf(
  { playbook, workdir, command, extraVarsFiles }: NonNullable<Step["written"]["ansible"]>,
  at: Path,
  context: RuleContext,
): Iterable<Finding> {
  const isRefused = (key: string): boolean => context.isRefused([...at, key]);
  yield* file(playbook, "file", [...at, "playbook"], context);
  yield* file(workdir ?? undefined, "any", [...at, "workdir"], context);
  if (!isRefused("command") && command.includes("/"))
    yield* file(command, "file", [...at, "command"], context);
  if (isRefused("extraVarsFiles")) return;
  for (const [index, path] of extraVarsFiles.entries())
    yield* file(path, "file", [...at, "extraVarsFiles", index], context);
}

export function* file(
  path: string | undefined,
  kind: "file" | "any",
  at: Path,
  { fileProblem, isRefused }: RuleContext,
): Iterable<Finding> {
  if (path === undefined || isRefused(at) || path.trim() === "") return;
  const problem = fileProblem(path, kind);
  if (problem === undefined) return;
  yield {
    code: "file-missing",
    at,
    message: `"${path}" ${problem}`,
    hint: path.startsWith("/") ? undefined : "paths are relative to the file that names them",
  };
}

/** Environment variables have names that a shell can use. */
export const namesOfEnvironment: Rule = stepRule(function* (
  { written: { shell, local }, at }: Step,
  { isRefused },
) {
  for (const kind of ["shell", "local"] as const) {
    if (isRefused([...at, kind, "env"])) continue;
    for (const name of Object.keys((kind === "shell" ? shell : local)?.env ?? {})) {
      if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
      const message = `"${name}" cannot be the name of an environment variable`;
      const hint = 'use letters, digits and "_", and begin with no digit';
      yield { code: "env-name-wrong", at: [...at, kind, "env", name], on: "key", message, hint };
    }
  }
});
