import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Guest, InstanceHost, StartRequest } from "../../src/emulator/instance-host.ts";
import { newVmHost } from "../../src/emulator/vm/host.ts";
import { keys, type LoggedIn, logIn } from "../emulator/sandbox/rig.ts";
import { facts } from "../help/instance-facts.ts";

export type VmRig = AsyncDisposable & {
  readonly host: InstanceHost;
  readonly directory: string;
  /** Starts an instance from the source disk and logs in as soon as it lets one in. */
  launch(request?: Partial<StartRequest>): Promise<LoggedIn>;
};

const bootMs = 900_000;

export async function newVmRig(sourceDisk: string): Promise<VmRig> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-vm-"));
  const host = newVmHost({ directory, sourceDisk });
  return {
    host,
    directory,
    launch: async (request = {}) => {
      const guest = await host.start({
        instanceId: "i-0123456789abcdef0",
        root: await host.baseRoot(),
        authorizedKeys: [keys.public],
        hostname: "ip-10-0-0-4",
        userData: null,
        facts,
        signal: AbortSignal.timeout(bootMs),
        ...request,
      });
      return awaitLogin(guest);
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function awaitLogin(guest: Guest): Promise<LoggedIn> {
  const deadline = Date.now() + bootMs;
  while (!(await greets(guest.port))) {
    if (Date.now() > deadline) throw new Error(`no SSH server; the console says:\n${guest.consoleOutput()}`);
    await sleep(250);
  }
  return logIn(guest, "admin");
}

/** Whether an SSH server says something within a while. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1").setTimeout(10_000);
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", () => end(true)).once("timeout", () => end(false));
    socket.once("error", () => end(false)).once("close", () => end(false));
  });
}
