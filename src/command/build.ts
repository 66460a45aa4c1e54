import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { CloudOptions } from "../aws/cloud.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { Problem } from "../problem.ts";
import type { Result } from "../report/result.ts";
import type { RunEvent } from "../run/event.ts";
import type { OnFailure } from "../run/run.ts";
import type { Ask } from "../stage/stage.ts";
import { emulate } from "./emulate.ts";
import type { InstanceOptions } from "./instance-options.ts";
import { loadPlan, loadSpec } from "./load.ts";
import { writePlan } from "./run-plan.ts";

export type BuildOptions = {
  /** Values for the spec's variables, stronger than their defaults and the environment. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Paths of YAML files of values, the last the strongest; weaker than `variables`. */
  readonly variableFiles?: readonly string[];
  /** Asks at the terminal for variables that have no value. */
  readonly ask?: boolean;
  /** Only these of the spec's regions; empty or absent: all. */
  readonly regions?: readonly string[];
  /** Where the cloud is; `"emulate"` starts an AWS inside this process. Absent: AWS. */
  readonly cloud?: CloudOptions | "emulate";
  /** What the instances of the AWS inside this process are. Absent: sandboxes. */
  readonly emulated?: InstanceOptions;
  /** Holds a directory for each run. Absent: `.imgspec/runs`. */
  readonly stateDirectory?: string;
  /** Where the result is written. Absent: `imgspec-result.json`. */
  readonly resultPath?: string;
  /** A command that an instance of each new image must run with exit code 0. */
  readonly tryCommand?: string;
  /** Tasks at work at once. */
  readonly concurrency?: number;
  /** Absent: clean. */
  readonly onFailure?: OnFailure;
  /** Ends the run; what it holds is given back. */
  readonly signal?: AbortSignal;
  /** Ends the giving back too. */
  readonly abandon?: AbortSignal;
  /** Tells of the breakpoints of the spec, and does not wait there. */
  readonly skipBreakpoints?: boolean;
  /** Answers at breakpoints. Absent: a spec with breakpoints is refused, unless they are skipped. */
  readonly onQuestion?: Ask | undefined;
  onEvent?(event: RunEvent): void;
  /** Told how the run ended, before the result is written. */
  onResult?(result: Result): Promise<void>;
  onWarnings?(warnings: readonly Diagnostic[]): Promise<void>;
};

/**
 * The whole way: spec, plan, run, result. A build that fails is a result too; what is thrown is a Problem from before
 * anything was created (`spec-invalid`, `usage-wrong`, `sandbox-unavailable`, `journal-unusable`) or a bug.
 */
export async function build(path: string, options: BuildOptions = {}): Promise<Result> {
  const never = new AbortController().signal;
  const { signal = never, abandon = never, stateDirectory = ".imgspec/runs", cloud = {} } = options;

  const { id, spec, warnings } = await loadSpec(path, {
    var: options.variables ?? {},
    varFile: options.variableFiles ?? [],
    ask: options.ask ?? false,
    region: options.regions ?? [],
  });
  await options.onWarnings?.(warnings);
  const resultPath = resolve(options.resultPath ?? "imgspec-result.json");
  await checkWritable(resultPath);
  const plan = await loadPlan(spec, options);
  const { isBreakpoint, noTerminal } = await import("../stage/breakpoint.ts");
  const waiting = plan.tasks.filter(isBreakpoint);
  if (waiting.length > 0 && !options.onQuestion) throw noTerminal(waiting.map(({ id }) => id));

  const [{ toCloud }, { openJournal }, { run }, { stages }, { toResult }, { writeResult }] =
    await Promise.all([
      import("../aws/sdk-cloud.ts"),
      import("../journal/journal-file.ts"),
      import("../run/run.ts"),
      import("../stage/stages.ts"),
      import("../report/result.ts"),
      import("../report/result-file.ts"),
    ]);
  const directory = resolve(stateDirectory, id);
  await using emulator = cloud === "emulate" ? await emulate(spec, options.emulated) : undefined;
  await using journal = await openJournal(directory);
  await writePlan(directory, plan);
  const result = await run(plan, {
    stages,
    cloud: toCloud(emulator?.cloud ?? (cloud as CloudOptions)),
    journal,
    run: { id, directory },
    spec: path,
    signal,
    abandon,
    onFailure: options.onFailure ?? "clean",
    secrets: spec.secrets,
    ask: options.onQuestion,
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    onEvent: (event) => options.onEvent?.(event),
  });
  const report = toResult(plan, result, { run: id, spec: path });
  await options.onResult?.(report);
  await writeResult(resultPath, report);
  return report;
}

/** An hour later would be a bad time to find that the result cannot be written. */
async function checkWritable(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK);
  } catch (cause) {
    throw new Problem("usage-wrong", `the result cannot be written to ${path}`, {
      hint: "name a file in a folder that exists and is yours with --result",
      cause,
    });
  }
}
