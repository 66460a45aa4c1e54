import { setTimeout as sleep } from "node:timers/promises";
import { toHostKeys } from "../machine/console-host-keys.ts";
import { type HeldMachine, holdMachine } from "../machine/held-machine.ts";
import { fingerprintOf } from "../machine/key-pair.ts";
import type { Machine } from "../machine/machine.ts";
import { connect } from "../machine/ssh.ts";
import { Problem } from "../problem.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { StageContext } from "./stage.ts";
import { toRoute, toWay } from "./way.ts";

/** An instance whose host key nobody knows yet. */
export type Reach = Omit<LaunchedInstance, "hostKey">;

/**
 * Logs in for the first time and says which host key every later login must see; `how` is auto, console, first-use or
 * the key itself.
 */
export async function trust(reach: Reach, how: string, context: StageContext): Promise<string> {
  if (isKeyLine(how)) {
    await using machine = await open(reach, [how], context);
    context.log(`host key ${fingerprintOf(machine.hostKey)} is that of connect.hostKey`);
    return machine.hostKey;
  }
  // A key tells nothing to the wrong machine; a password would be in its hands.
  const isCareful = how === "console" || (how === "auto" && (reach.way?.password ?? null) !== null);
  const told = isCareful ? await waitForConsole(reach, context) : [];
  await using machine = await open(reach, told.length > 0 ? told : null, context);
  const seen = machine.hostKey;
  const printed = told.length > 0 || how !== "auto" ? told : await consoleKeysIfAllowed(reach, context);
  if (printed.length > 0 && !printed.some((line) => sameKey(line, seen))) {
    throw new Problem(
      "host-key-changed",
      `${reach.host} answered with the host key ${fingerprintOf(seen)}, which the console output of ${reach.instanceId} does not have`,
      { hint: "somebody may be in the middle: do not go on from this network" },
    );
  }
  context.log(
    printed.length > 0
      ? `host key ${fingerprintOf(seen)} is the one in the console output`
      : `host key ${fingerprintOf(seen)} pinned on first use${how === "auto" ? ": the console output has none yet" : ""}`,
  );
  return seen;
}

/** Logs in to an instance whose host key is pinned. */
export function login(instance: LaunchedInstance, context: StageContext): Promise<Machine> {
  return open(instance, [instance.hostKey], context);
}

/** The same for work that outlives a connection: it is logged in to again whenever that was lost. */
export function hold(instance: LaunchedInstance, context: StageContext): HeldMachine {
  return holdMachine(
    () => login(instance, context),
    (line) => context.log(line),
  );
}

async function open(
  reach: Reach,
  hostKeys: readonly string[] | null,
  context: StageContext,
): Promise<Machine> {
  const { sudoPassword, ...route } = toRoute(reach.way ?? toWay({}), context);
  return connect(
    {
      host: reach.host,
      port: reach.port,
      user: reach.user,
      privateKeyPath: reach.privateKeyPath === "" ? null : reach.privateKeyPath,
      hostKeys,
      ...route,
    },
    {
      sudoPassword,
      signal: context.signal,
      log: (line) => context.log(line),
      timeoutMs: reach.connectTimeoutSeconds * 1000,
    },
  );
}

async function waitForConsole(reach: Reach, context: StageContext): Promise<readonly string[]> {
  const deadline = Date.now() + reach.connectTimeoutSeconds * 1000;
  for (let pauseMs = 500; Date.now() < deadline; pauseMs = Math.min(pauseMs * 1.5, 15_000)) {
    const keys = await consoleKeys(reach, context);
    if (keys.length > 0) return keys;
    await sleep(pauseMs, undefined, { signal: context.signal });
  }
  throw new Problem("timeout", `the console output of ${reach.instanceId} shows no SSH host keys`, {
    hint: "raise connect.timeout, or set connect.hostKey for an AMI without cloud-init: the key itself, or first-use",
  });
}

async function consoleKeys(
  { account, instanceId }: Reach,
  { cloud, signal }: StageContext,
): Promise<readonly string[]> {
  return toHostKeys(await cloud.account(account).consoleOutput(instanceId, signal));
}

/** `auto` takes what it can get: who may not read the console output pins the key on first use. */
async function consoleKeysIfAllowed(reach: Reach, context: StageContext): Promise<readonly string[]> {
  try {
    return await consoleKeys(reach, context);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "permission-denied") throw error;
    context.log(`the console output cannot be read: ${error.message}`);
    return [];
  }
}

/** Whether connect.hostKey is the key itself. */
export function isKeyLine(how: string): boolean {
  return how.includes(" ");
}

/** Equal up to the comment. */
function sameKey(a: string, b: string): boolean {
  const [typeA, keyA] = a.split(" ");
  const [typeB, keyB] = b.split(" ");
  return typeA === typeB && keyA === keyB;
}
