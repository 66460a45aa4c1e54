import { runScript } from "../machine/script.ts";
import { Problem } from "../problem.ts";
import { factMark, toCheckProgram } from "./check-program.ts";
import { type Assertion, type Facts, whyNot } from "./check-verdict.ts";
import type { LaunchedInstance } from "./launch.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

export type CheckInput = {
  readonly on: LaunchedInstance;
  readonly assertions: readonly Assertion[];
  readonly sudo: boolean;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

/** Looks at the instance, with one program for all assertions, and tells all that does not hold at once. */
export const checkInstance: Stage<CheckInput, LaunchedInstance> = {
  kind: "provision.check",
  title: "Check the instance",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () => attempt(input, context));
    return input.on;
  },
};

async function attempt(input: CheckInput, context: StageContext): Promise<void> {
  const { assertions, label } = input;
  const facts = await look(input, context);
  const faults = assertions.flatMap((assertion, index) => {
    const fault = whyNot(assertion, facts[index] ?? {});
    return fault === undefined ? [] : [`that[${index}] ${fault}`];
  });
  for (const fault of faults) context.log(fault);
  if (faults.length === 0) {
    context.log(assertions.length === 1 ? "the assertion holds" : `all ${assertions.length} assertions hold`);
    return;
  }
  const verb = faults.length === 1 ? "does" : "do";
  const count = `${faults.length} of ${assertions.length} assertions of ${label} ${verb} not hold`;
  throw new Problem("check-failed", `${count}: ${faults.join("; ")}`, {
    hint: "the instance is not as the spec says; a service that is slow to start may need retries",
  });
}

/** The facts of each assertion. */
async function look(input: CheckInput, context: StageContext): Promise<readonly Facts[]> {
  const facts = input.assertions.map((): Record<string, string[]> => ({}));
  const line = new RegExp(`^${factMark} (\\d+) (\\w+) (.*)$`, "s");
  await using held = hold(input.on, context);
  const { code, signal } = await runScript(held, {
    text: toCheckProgram(input.assertions),
    env: {},
    sudo: input.sudo,
    workdir: null,
    timeoutSeconds: input.timeoutSeconds,
    signal: context.signal,
    onLine: (text) => {
      const [, index, name = "", value = ""] = line.exec(text) ?? [];
      if (index === undefined) context.log(text);
      else {
        const own = facts[Number(index)] ?? {};
        own[name] = [...(own[name] ?? []), value];
      }
    },
  });
  if (code === 0) return facts;
  const how = signal === null ? `exited with ${code}` : `was ended by SIG${signal}`;
  throw new Problem("command-failed", `what looks at the instance (${input.label}) ${how}`, {
    hint: "what it said is among the last lines",
  });
}
