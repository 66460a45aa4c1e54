import { join } from "node:path";
import { quote } from "../machine/quote.ts";
import { Problem } from "../problem.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { openRelay } from "./relay.ts";
import type { Stage, StageContext } from "./stage.ts";

export type BreakpointInput = {
  readonly on: LaunchedInstance;
  readonly note: string | null;
  readonly timeoutSeconds: number;
  /** It is only told that there is one. */
  readonly isSkipped: boolean;
  readonly label: string;
};

/** Waits until somebody at the terminal has looked at the instance. */
export const breakpoint: Stage<BreakpointInput, LaunchedInstance> = {
  kind: "provision.breakpoint",
  title: "Breakpoint",
  exitCode: 5,
  decides: ["on"],
  run: async (input, context) => {
    const { on, note, isSkipped, label } = input;
    if (isSkipped) context.log(`the breakpoint ${label} is skipped${note === null ? "" : `: ${note}`}`);
    else await wait(input, context);
    return on;
  },
};

/** The word of a plan's tasks that somebody has to answer. */
export function isBreakpoint({ stage, input }: { readonly stage: string; readonly input: object }): boolean {
  return stage === breakpoint.kind && !("isSkipped" in input && input.isSkipped === true);
}

const ends = ["a", "abort"];

async function wait(
  { on, note, timeoutSeconds, label }: BreakpointInput,
  context: StageContext,
): Promise<void> {
  const { ask, task, log } = context;
  if (ask === undefined) throw noTerminal([label]);
  const late = `nobody answered at the breakpoint ${label} within ${timeoutSeconds} s`;
  using deadline = toDeadline(new Problem("timeout", late, { hint: "raise its timeout" }), timeoutSeconds);
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  await using relay = await openRelay(on, () => ({}), { ...context, signal });
  const config = quote(join(relay.directory, "ssh_config"));
  const key = on.privateKeyPath === "" ? "" : `, key ${on.privateKeyPath}`;
  log("waiting for an answer at the terminal");
  const since = performance.now();
  const answer = await ask(
    {
      lines: [
        `${task} waits at the breakpoint ${label}${note === null ? "" : `: ${note}`}`,
        `  ${on.instanceId}, ${on.user} at ${on.host} port ${on.port}${key}`,
        `  log in until then: ssh -F ${config} ${on.instanceId}`,
      ],
      text: "Enter goes on, a ends the build of this region: ",
      accepts: (answer) => answer === "" || ends.includes(answer.toLowerCase()),
    },
    signal,
  );
  if (answer !== "") {
    throw new Problem("interrupted", `it was ended at the breakpoint ${label}`, {
      hint: "build with --on-failure ask to keep the instance",
    });
  }
  log(`went on after ${Math.round((performance.now() - since) / 1000)} s`);
}

/** What a build is told that has breakpoints and nobody to answer. */
export function noTerminal(where: readonly string[]): Problem {
  return new Problem("usage-wrong", `a breakpoint needs a terminal: ${where.join(", ")}`, {
    hint: "build with --skip-breakpoints, or give the step a condition: if, only or except",
  });
}
