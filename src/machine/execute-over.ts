import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientChannel, PseudoTtyOptions } from "ssh2";
import { end } from "./command.ts";
import type { Ended, Execution, ExecutionRequest } from "./execution.ts";
import type { Link } from "./link.ts";
import { markCommand } from "./reaper.ts";

/**
 * Starts what a client of a relay asks for. Rejects when the server there refuses it, or when the connection is lost.
 * `keep` is given the ending of what was abandoned: the connection must not be closed before.
 */
export async function executeOver(
  link: Link,
  request: ExecutionRequest,
  keep: (ending: Promise<unknown>) => void,
): Promise<Execution> {
  link.lost.throwIfAborted();
  const token = randomBytes(12).toString("hex");
  const { channel, ended } = await open(link, request, token);
  channel.on("error", () => undefined);
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    signal: (name) => Promise.resolve(channel.signal(name)),
    resize: (rows, columns) => Promise.resolve(channel.setWindow(rows, columns, 0, 0)),
    abandon: () => {
      // sshd leaves a command without a terminal running when its client goes away.
      if (request.command === null) channel.close();
      else keep(end(link, channel, token, once(channel, "close")).catch(() => undefined));
    },
  };
}

type Opened = { readonly channel: ClientChannel; readonly ended: Promise<Ended> };

function open({ client, lost }: Link, request: ExecutionRequest, token: string): Promise<Opened> {
  const { command, subsystem, environment } = request;
  const env = Object.fromEntries(environment);
  const pty = toPty(request);
  return new Promise((resolve, reject) => {
    const onLost = (): void => reject(lost.reason);
    lost.addEventListener("abort", onLost, { once: true });
    const opened = (error: Error | undefined, channel: ClientChannel): void => {
      lost.removeEventListener("abort", onLost);
      // The exit of a short command comes in the same packet as its start, so it is listened for at once.
      if (error === undefined) resolve({ channel, ended: endOf(channel) });
      else reject(error);
    };
    if (subsystem !== null) client.subsys(subsystem, opened);
    else if (command !== null) {
      client.exec(markCommand(token, command), { env, ...(pty === undefined ? {} : { pty }) }, opened);
    } else client.shell(pty ?? false, { env }, opened);
  });
}

function toPty({ terminal }: ExecutionRequest): PseudoTtyOptions | undefined {
  if (terminal === null) return undefined;
  const { name: term, rows, columns: cols, modes } = terminal;
  // The types want every mode; ssh2 sends those that are there.
  return { term, rows, cols, ...(modes ? { modes: modes as NonNullable<PseudoTtyOptions["modes"]> } : {}) };
}

/** A channel that closes without saying how its command ended was cut: OpenSSH's client calls that 255, too. */
function endOf(channel: ClientChannel): Promise<Ended> {
  return new Promise((resolve) => {
    channel.once("exit", (code: number | null, signal?: string) => {
      resolve({ code, signal: signal === undefined ? null : toSignal(signal) });
    });
    channel.once("close", () => resolve({ code: 255, signal: null }));
  });
}

/** SSH has names without SIG, ssh2 gives some with it. */
function toSignal(name: string): NodeJS.Signals {
  return `SIG${name.replace(/^SIG/, "")}` as NodeJS.Signals;
}
