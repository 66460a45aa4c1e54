import { Problem } from "../problem.ts";
import { ownEnvironment, runChild } from "./child.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { type EnvironmentInput, retrying, toValues } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";

export type LocalInput = {
  readonly on: LaunchedInstance;
  readonly command: string;
  readonly env: EnvironmentInput;
  readonly workdir: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

/** A command of the user's on the builder, told where the instance is by IMGSPEC_* variables. */
export const local: Stage<LocalInput, LaunchedInstance> = {
  kind: "provision.local",
  title: "Run a command here",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () => attempt(input, context));
    return input.on;
  },
};

async function attempt(input: LocalInput, context: StageContext): Promise<void> {
  const { command, label, workdir, timeoutSeconds } = input;
  const late = `the local command of ${label} took longer than ${timeoutSeconds} s`;
  using deadline = toDeadline(new Problem("command-timeout", late), timeoutSeconds);
  // Its environment is the user's own, as `sh -c` in their terminal would have it, and what the spec adds; what variables
  // were set to in it may be secret.
  const { code, name } = await runChild(["/bin/sh", "-c", command], {
    workdir,
    env: { ...ownEnvironment(), ...toFacts(input.on, context), ...toValues(input.env, context) },
    signal: AbortSignal.any([context.signal, deadline.signal]),
    onLine: (line) => context.log(line),
  });
  if (code === 0) return;
  throw new Problem(
    "command-failed",
    `the local command of ${label} ${code === null ? `was ended by ${name}` : `exited with ${code}`}`,
    { hint: `it ran in ${workdir}: ${command.split("\n")[0] ?? ""}` },
  );
}

function toFacts({ account, ...on }: LaunchedInstance, { cloud }: StageContext): Record<string, string> {
  const { networkProxy } = cloud.options;
  return {
    IMGSPEC_REGION: account.region,
    IMGSPEC_INSTANCE_ID: on.instanceId,
    IMGSPEC_HOST: on.host,
    IMGSPEC_PORT: String(on.port),
    IMGSPEC_USER: on.user,
    IMGSPEC_PRIVATE_KEY_PATH: on.privateKeyPath,
    IMGSPEC_HOST_KEY: on.hostKey,
    ...(networkProxy === undefined ? {} : { IMGSPEC_PROXY: networkProxy }),
  };
}
