import { basename, join } from "node:path";
import { Problem } from "../problem.ts";
import { type AnsibleFiles, toInventory, toVariables } from "./ansible-files.ts";
import { PlayReader } from "./ansible-output.ts";
import { ownEnvironment, runChild } from "./child.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { type OpenRelay, openRelay } from "./relay.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";

export type AnsibleInput = AnsibleFiles & {
  /** A name in the PATH, or an absolute path. */
  readonly command: string;
  /** Absolute. `contents`: SHA-256 by path of what it is told to read, when the plan was made. */
  readonly playbook: string;
  readonly extraVarsFiles: readonly string[];
  readonly contents: { readonly [path: string]: string };
  readonly sudo: boolean;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  /** How many `-v`. */
  readonly verbose: number;
  readonly extraArguments: readonly string[];
  readonly env: { readonly [name: string]: string };
  readonly workdir: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

/** Runs a playbook on the instance with the Ansible of this machine, over the connection that is held. */
export const ansible: Stage<AnsibleInput & { readonly on: LaunchedInstance }, LaunchedInstance> = {
  kind: "provision.ansible",
  title: "Run a playbook",
  exitCode: 5,
  run: async ({ on, ...input }, context) => {
    await retrying(input, context, () => attempt(on, input, context));
    return on;
  },
};

async function attempt(on: LaunchedInstance, input: AnsibleInput, context: StageContext): Promise<void> {
  const { label, timeoutSeconds, workdir } = input;
  const late = `the playbook of ${label} took longer than ${timeoutSeconds} s`;
  using deadline = toDeadline(new Problem("command-timeout", late), timeoutSeconds);
  const signal = AbortSignal.any([context.signal, deadline.signal]);
  const within = { ...context, signal };
  const toFiles = (directory: string, port: number): Record<string, string> => ({
    "inventory.yml": toInventory(on, { input, directory, port }, context),
    "variables.yml": toVariables(input, context),
  });
  await using relay = await openRelay(on, toFiles, within);
  const reader = new PlayReader();
  const { code, name } = await runChild(toCommandLine(input, relay), {
    workdir,
    env: toEnvironment(input, relay),
    signal,
    onLine: (line) => {
      // Masked before what it says is cut short.
      reader.read(context.masked(line));
      context.log(line);
    },
  });
  const what = `${basename(input.playbook)} (${label})`;
  if (code === 0 && reader.missedHost) {
    throw new Problem("command-failed", `no play of ${what} is for this instance`, {
      hint: `its hosts: must name ${["all", input.host, ...input.groups].join(", ")}; or set host and groups`,
    });
  }
  if (code === 0) return;
  const how = code === null ? `was ended by ${name}` : `exited with ${code}`;
  const why = reader.failure === undefined ? how : `failed at ${reader.failure}`;
  throw new Problem("command-failed", `the playbook ${what} ${why}`, {
    hint: hints[code ?? -1] ?? lastLines,
  });
}

const lastLines = "what Ansible said is among the last lines";

/** By ansible-playbook's exit code. */
const hints: Readonly<Record<number, string>> = {
  2: "the last lines tell what the task did; build with --on-failure keep to look at the instance",
  4: "Ansible needs Python on the instance, and a login shell that prints nothing by itself",
  5: "see extraArguments: ansible-playbook does not know an option",
};

function toCommandLine(input: AnsibleInput, { directory }: OpenRelay): [string, ...string[]] {
  const { command, playbook, extraVarsFiles, sudo, tags, skipTags, verbose, extraArguments } = input;
  const words = [
    ...["-i", join(directory, "inventory.yml")],
    ...extraVarsFiles.flatMap((path) => ["-e", `@${path}`]),
    ...["-e", `@${join(directory, "variables.yml")}`],
    ...(sudo ? ["--become"] : []),
    ...(tags.length > 0 ? ["--tags", tags.join(",")] : []),
    ...(skipTags.length > 0 ? ["--skip-tags", skipTags.join(",")] : []),
    ...(verbose > 0 ? [`-${"v".repeat(verbose)}`] : []),
    ...extraArguments,
  ];
  return [command, ...words, playbook];
}

function toEnvironment({ env }: AnsibleInput, { directory }: OpenRelay): NodeJS.ProcessEnv {
  return {
    ...ownEnvironment(),
    ...env,
    // As it comes, and without colours: a task's lines are shown live.
    PYTHONUNBUFFERED: "1",
    ANSIBLE_NOCOLOR: "1",
    ANSIBLE_FORCE_COLOR: "0",
    // What it decrypts and fills in for a moment goes with our files, however it ends.
    ANSIBLE_LOCAL_TEMP: join(directory, "tmp"),
  };
}
