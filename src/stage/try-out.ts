import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Problem, type ProblemCode } from "../problem.ts";
import { waitForConsole } from "./console.ts";
import { type LaunchedInstance, type LaunchInput, start } from "./launch.ts";
import type { CheckedImage } from "./preflight.ts";
import type { RegisteredImage } from "./register.ts";
import { type ShellInput, shell } from "./shell.ts";
import type { StageContext } from "./stage.ts";
import { isKeyLine, type Reach, trust } from "./trust.ts";

export type TryOutInput = Omit<LaunchInput, "checked"> & {
  readonly checked: CheckedImage;
  readonly registered: RegisteredImage;
  /** A regular expression (flags `mu`) for the console output; null: what counts is that one can log in. */
  readonly console: string | null;
  readonly tests: readonly Omit<ShellInput, "on">[];
};

/** How a failure is told. */
export type Verdict = {
  readonly code: ProblemCode;
  /** Stands before what went wrong: `failed its trial`. */
  readonly what: string;
  /** Null: that of what went wrong. */
  readonly hint: string | null;
};

/** What an image showed when it was launched and told to run something. */
export type TriedImage = {
  readonly imageId: string;
  readonly instanceId: string;
  /** The last lines that the tests printed. */
  readonly output: readonly string[];
};

/** Enough for a greeting or a version; what a test suite prints is in the log. */
const outputLines = 20;

/** What speaks against the image, and not against the account or the network of the builder. */
const imageFaults: ReadonlySet<ProblemCode> = new Set([
  ...(["aws-fault", "boot-failed", "command-failed", "command-timeout", "connect-failed"] as const),
  ...(["host-key-changed", "timeout"] as const),
]);

/**
 * Launches an image that was just registered, waits until it has booted, and runs tests on it. What speaks against the
 * image is thrown with the code of the verdict, and the console output is then in the Problem's file.
 */
export async function tryOut(
  input: TryOutInput,
  verdict: Verdict,
  context: StageContext,
): Promise<TriedImage> {
  const { registered, checked } = input;
  const source = { ...checked.source, id: registered.imageId, name: registered.name };
  const launching = { ...input, checked: { ...checked, source }, isForgotten: true };
  const printed: string[] = [];
  let instanceId: string | undefined;
  try {
    const reach = await start(launching, context, (id) => {
      instanceId = id;
    });
    const on = await waitForBoot(reach, input, context);
    if (on !== null) await runTests(on, input, printed, context);
    return { imageId: registered.imageId, instanceId: reach.instanceId, output: printed.slice(-outputLines) };
  } catch (error) {
    if (context.signal.aborted || !(error instanceof Problem) || !imageFaults.has(error.code)) throw error;
    throw await toVerdict(error, instanceId, input, verdict, context);
  }
}

/** Null when nobody has to log in. */
async function waitForBoot(
  reach: Reach,
  { console, tests, connect }: TryOutInput,
  context: StageContext,
): Promise<LaunchedInstance | null> {
  if (console !== null) await waitForConsole(reach, console, connect.timeoutSeconds, context);
  if (console !== null && tests.length === 0) return null;
  // A new image makes host keys of its own, which nobody can have named.
  const how = isKeyLine(connect.hostKey) ? "auto" : connect.hostKey;
  return { ...reach, hostKey: await trust(reach, how, context) };
}

async function runTests(
  on: LaunchedInstance,
  { tests }: TryOutInput,
  printed: string[],
  context: StageContext,
): Promise<void> {
  const log = (line: string): void => {
    printed.push(line);
    context.log(line);
  };
  for (const test of tests) await shell.run({ ...test, on }, { ...context, log });
}

async function toVerdict(
  error: Problem,
  instanceId: string | undefined,
  { registered }: TryOutInput,
  { code, what, hint }: Verdict,
  context: StageContext,
): Promise<Problem> {
  const saved = instanceId === undefined ? null : await saveConsole(registered, instanceId, context);
  context.signal.throwIfAborted();
  const hints = [hint ?? error.hint, saved?.hint].filter((text) => text !== undefined);
  return new Problem(code, `the new image ${registered.imageId} ${what}: ${error.message}`, {
    hint: hints.join("; "),
    cause: error,
    file: saved?.path ?? undefined,
  });
}

/** Saves what the instance said until now, since it goes away; that this fails must not hide what went wrong before. */
async function saveConsole(
  { account }: RegisteredImage,
  instanceId: string,
  { cloud, signal, run, task, masked }: StageContext,
): Promise<{ readonly path: string | null; readonly hint: string }> {
  const path = join(run.directory, `${task.replaceAll("/", "-")}-console.log`);
  try {
    const text = await cloud.account(account).consoleOutput(instanceId, signal);
    if (text.trim() === "") return { path: null, hint: `the console output of ${instanceId} is empty` };
    await writeFile(path, masked(text), { mode: 0o600 });
    return { path, hint: `its console output is in ${path}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { path: null, hint: `the console output of ${instanceId} could not be saved: ${why}` };
  }
}
