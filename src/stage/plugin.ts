import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { format } from "node:util";
import { Problem } from "../problem.ts";
import { importPlugin } from "../spec/plugins/import-plugin.ts";
import { toPlugin } from "../spec/plugins/inspect.ts";
import type { PluginFacts } from "../spec/plugins/load.ts";
import { placeOf } from "../spec/plugins/place-of.ts";
import type { PluginOptions, Provisioner } from "../spec/plugins/plugin.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { toProvisionContext } from "./plugin-context.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

export type PluginInput = {
  readonly on: LaunchedInstance;
  readonly plugin: PluginFacts;
  /** Which of the plugin's provisioners. */
  readonly provisioner: string;
  readonly told: { readonly options: PluginOptions };
  /** Absolute; what local paths are relative to. */
  readonly directory: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  /** Where the step stands in the spec: `provision[2].greet`. */
  readonly label: string;
};

/** How long a plugin has to end by itself after its signal was aborted. */
const graceMs = 3000;

/** Code of the user's that provisions the instance (docs/plugins.md). */
export const plugin: Stage<PluginInput, LaunchedInstance> = {
  kind: "provision.plugin",
  title: "Run a plugin",
  exitCode: 5,
  run: async (input, context) => {
    const provisioner = await load(input);
    await retrying(input, context, () => attempt(input, provisioner, context));
    return input.on;
  },
};

/** The module is in memory since the spec was read, unless this is another process. */
async function load({ plugin: { module, name }, provisioner: kind }: PluginInput): Promise<Provisioner> {
  const loaded = toPlugin(await importPlugin(module));
  const provisioner = "provisioners" in loaded ? loaded.provisioners[kind] : undefined;
  if (provisioner) return provisioner;
  throw new Problem("plugin-failed", `the plugin ${name} has no provisioner "${kind}" any more`, {
    hint: `leave ${module} as it is until the build is done`,
  });
}

async function attempt(input: PluginInput, provisioner: Provisioner, context: StageContext): Promise<void> {
  const { on, directory, timeoutSeconds, label, told, plugin: facts } = input;
  context.signal.throwIfAborted();
  const over = new AbortController();
  await using held = hold(on, context);
  const late = new Problem("command-timeout", `${label} took longer than ${timeoutSeconds} s`);
  using deadline = toDeadline(late, timeoutSeconds);
  const asked = AbortSignal.any([context.signal, deadline.signal]);
  const onLine = (line: string): void => {
    if (!over.signal.aborted) context.log(line);
  };
  const place = { held, signal: AbortSignal.any([asked, over.signal]), directory, timeoutSeconds, onLine };
  const { surface, open } = toProvisionContext({ on, place, context, name: label });
  // The plan's own options are not the plugin's to change.
  const options = structuredClone(told.options);
  try {
    const running = heard(onLine, async () => provisioner.run(surface, options));
    await untilAborted(running, asked, () =>
      context.log(`the plugin ${facts.name} did not end when it was asked to; going on without it`),
    );
    if (open() > 0) throw toUnawaited(open(), input);
  } catch (error) {
    throw asked.aborted ? asked.reason : toProblem(error, input);
  } finally {
    over.abort(new Error(`${label} is over`));
  }
}

/** Settles as the work does, or rejects some time after the signal's abort: a plugin may be deaf to it. */
async function untilAborted(running: Promise<void>, signal: AbortSignal, onDeaf: () => void): Promise<void> {
  let isOver = false;
  const ended = running.finally(() => {
    isOver = true;
  });
  const aborted = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([ended, aborted]);
  if (!signal.aborted) return;
  await Promise.race([ended.catch(() => undefined), sleep(graceMs, undefined, { ref: false })]);
  if (!isOver) onDeaf();
  throw signal.reason;
}

/** What nobody waits for is cut off, and its failure would be told to nobody. */
function toUnawaited(count: number, { plugin: { name, module }, label }: PluginInput): Problem {
  const what = count === 1 ? "a request" : `${count} requests`;
  return new Problem("plugin-failed", `the plugin ${name} ended in ${label} before ${what} of it was done`, {
    hint: `it has to await what it asks for; it is ${module}`,
  });
}

/** What the world refused a plugin is told as it is; anything else is the plugin's own, and needs no stack of ours. */
function toProblem(error: unknown, { plugin: { name, module }, label }: PluginInput): Problem {
  if (error instanceof Problem) return error;
  const why = error instanceof Error ? error.message || error.name : String(error);
  return new Problem("plugin-failed", `the plugin ${name} failed in ${label}: ${why}`, {
    hint: placeOf(error) ?? `it is ${module}`,
    cause: error instanceof Error ? error.cause : undefined,
  });
}

const printing = new AsyncLocalStorage<(line: string) => void>();
let isPatched = false;

/** What the work prints with `console` is a line of the task: masked, and in the place of the output that is chosen. */
function heard<T>(say: (line: string) => void, work: () => Promise<T>): Promise<T> {
  if (!isPatched) patch(globalThis.console);
  isPatched = true;
  return printing.run(say, work);
}

function patch(target: Console): void {
  for (const name of ["log", "info", "warn", "error", "debug"] as const) {
    const own = target[name].bind(target);
    target[name] = (...words: unknown[]) => {
      const say = printing.getStore();
      if (say) say(format(...words));
      else own(...words);
    };
  }
}
