import { Problem } from "../problem.ts";
import type {
  CopyOptions,
  ProvisionContext,
  ScriptOutput,
  ScriptRunOptions,
} from "../spec/plugins/plugin.ts";
import type { LaunchedInstance } from "./launch.ts";
import { perform, type WorkPlace } from "./program-requests.ts";
import type { StageContext } from "./stage.ts";

type Around = {
  readonly on: LaunchedInstance;
  readonly place: WorkPlace;
  readonly context: StageContext;
  /** `greet (provision[2].greet)`. */
  readonly name: string;
};

/** What a plugin is given to work with, and no more. What it is asked after the end of its step is refused. */
export function toProvisionContext({ on, place, context, name }: Around): {
  readonly surface: ProvisionContext;
  /** How much of what was asked is not answered yet. */
  open(): number;
} {
  let open = 0;
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other, as they were asked for; a failure is told to who asked, and does not keep others from work. */
  const queue = <T>(work: () => Promise<T>): Promise<T> => {
    open += 1;
    const next = last
      .then(() => {
        place.signal.throwIfAborted();
        return work();
      })
      .finally(() => {
        open -= 1;
      });
    last = next.catch(() => undefined);
    return next;
  };
  const run = async (script: string, options: ScriptRunOptions = {}): Promise<ScriptOutput> => {
    const { exitCodes = [0], ...rest } = options;
    // A script always has an exit code and texts; `perform` answers as JSON.
    const done = (await perform({ request: "run", script, ...rest }, place)) as ScriptOutput;
    if (exitCodes === "any" || exitCodes.includes(done.code)) {
      return { code: done.code, stdout: done.stdout, stderr: done.stderr };
    }
    throw new Problem("command-failed", `a script of ${name} exited with ${done.code}`, {
      hint: `exit codes that count as success: ${exitCodes.join(", ")}`,
    });
  };
  const copy = async (from: string, to: string, options: CopyOptions = {}): Promise<void> => {
    await perform({ request: "upload", from, to, ...options }, place);
  };
  const surface: ProvisionContext = {
    signal: place.signal,
    instance: { id: on.instanceId, type: on.instanceType, host: on.host, port: on.port, user: on.user },
    region: on.account.region,
    profile: on.account.profile ?? null,
    buildId: context.run.id,
    directory: place.directory,
    run: (script, options) => queue(() => run(script, options)),
    upload: (from, to, options) => queue(() => copy(from, to, options)),
    download: (from, to) => queue(async () => void (await perform({ request: "download", from, to }, place))),
    log: (line) => place.onLine(String(line)),
    secret: (value) => {
      const text = typeof value === "string" ? value : context.secret(value);
      context.hide(text);
      return text;
    },
    hide: (value) => context.hide(value),
  };
  return { surface, open: () => open };
}
