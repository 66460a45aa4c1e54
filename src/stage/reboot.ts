import { setTimeout as sleep } from "node:timers/promises";
import { elevate } from "../machine/elevate.ts";
import type { HeldMachine } from "../machine/held-machine.ts";
import { Problem } from "../problem.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

export type RebootInput = {
  readonly on: LaunchedInstance;
  readonly timeoutSeconds: number;
  readonly label: string;
};

/** Starts the instance anew and waits until it is back; its host key must be the one that is pinned. */
export const reboot: Stage<RebootInput, LaunchedInstance> = {
  kind: "provision.reboot",
  title: "Reboot",
  exitCode: 5,
  run: async ({ on, timeoutSeconds, label }, context) => {
    using deadline = toDeadline(toLate(label, timeoutSeconds), timeoutSeconds);
    const signal = AbortSignal.any([context.signal, deadline.signal]);
    const within: StageContext = { ...context, signal };
    await using held = hold(on, within);
    const before = await bootIdOf(held, signal);
    if (before === "") {
      throw new Problem("command-failed", `${on.instanceId} does not tell which boot it is in (${label})`, {
        hint: "it needs /proc/sys/kernel/random/boot_id, which Linux has",
      });
    }
    const since = performance.now();
    await order(held, label, signal);
    context.log(`${on.instanceId} was told to reboot; waiting until it is back`);
    await waitForBoot({ held, before, signal }, within);
    context.log(`${on.instanceId} is back after ${Math.round((performance.now() - since) / 1000)} s`);
    return on;
  },
};

const lookEveryMs = 2000;
const tellEveryMs = 30_000;
const firstLookMs = 500;

/**
 * A moment later, so that the answer still comes.
 */
const program = `for word in reboot shutdown; do
  command -v "$word" >/dev/null 2>&1 && break
  word=
done
# Not every machine that has systemctl was booted by systemd.
[ ! -d /run/systemd/system ] || word="systemctl reboot"
case $word in
shutdown) word="shutdown -r now" ;;
'') echo "there is neither reboot nor shutdown" >&2; exit 1 ;;
esac
detach=
! command -v setsid >/dev/null 2>&1 || detach=setsid
sync
$detach sh -c "sleep 1; exec $word" >/dev/null 2>&1 </dev/null &
`;

async function order(held: HeldMachine, label: string, signal: AbortSignal): Promise<void> {
  const machine = await held.machine();
  const { code, stderr } = await machine.run(elevate(["sh", "-c", program]), { signal });
  if (code === 0) return;
  throw new Problem("command-failed", `the instance cannot be rebooted (${label}): ${stderr.trim()}`, {
    hint: "connect.user must be root or may use sudo",
  });
}

type Waiting = {
  readonly held: HeldMachine;
  readonly before: string;
  readonly signal: AbortSignal;
};

async function waitForBoot({ held, before, signal }: Waiting, context: StageContext): Promise<void> {
  const since = performance.now();
  let toldMs = 0;
  for (let pauseMs = firstLookMs; ; pauseMs = lookEveryMs) {
    await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    const now = await bootIdIfThere(held, signal);
    if (now !== undefined && now !== "" && now !== before) return;
    const waitedMs = performance.now() - since;
    if (waitedMs - toldMs < tellEveryMs) continue;
    toldMs = waitedMs;
    const state = now === before ? "is still in its old boot" : "does not answer yet";
    context.log(`it ${state} after ${Math.round(waitedMs / 1000)} s`);
  }
}

/** `undefined` when nobody answers. What is no matter of the network is thrown: a host key that is another one. */
async function bootIdIfThere(held: HeldMachine, signal: AbortSignal): Promise<string | undefined> {
  try {
    return await bootIdOf(held, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Problem && (error.code === "connect-failed" || error.code === "timeout"))
      return undefined;
    throw error;
  }
}

async function bootIdOf(held: HeldMachine, signal: AbortSignal): Promise<string> {
  const machine = await held.machine();
  const { stdout } = await machine.run("cat /proc/sys/kernel/random/boot_id", { signal });
  // The shell of a user may greet first.
  return /[0-9a-f-]{36}\s*$/.exec(stdout)?.[0].trim() ?? "";
}

function toLate(label: string, seconds: number): Problem {
  return new Problem(
    "timeout",
    `the instance was not back within ${seconds} s after the reboot of ${label}`,
    {
      hint: "raise the step's timeout; the console output of the instance may tell why it does not boot",
    },
  );
}
