import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { makeKeyPair } from "../../src/machine/key-pair.ts";
import type { MachineAddress } from "../../src/machine/machine.ts";

const program = "/usr/sbin/sshd";
const setEnv = "SetEnv ";
const isSetEnv = (line: string): boolean => line.startsWith(setEnv);

/** Whether OpenSSH's server is installed (Debian: openssh-server). */
export const haveSshd: boolean = existsSync(program);

export type Sshd = AsyncDisposable & {
  /** How to log in to it as the user who runs the tests. */
  readonly address: MachineAddress;
  readonly hostKey: string;
  readonly directory: string;
};

export type SshdOptions = {
  /** What runs sshd: the words before its own. */
  readonly inside?: (directory: string) => Promise<readonly string[]>;
  readonly user?: string;
};

/** OpenSSH's own sshd on a free loopback port, with keys of its own. `config`: more lines for sshd_config. */
export async function startSshd(config: readonly string[] = [], options: SshdOptions = {}): Promise<Sshd> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-sshd-"));
  const at = (name: string): string => join(directory, name);
  const hostKey = await makeKeyPair(at("host"), "host");
  await writeFile(at("authorized"), await makeKeyPair(at("user"), "user"));
  const port = await freePort();
  await mkdir(at("home"));
  const lines = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${at("host")}`,
    `AuthorizedKeysFile ${at("authorized")}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    "MaxStartups 100",
    // bash reads ~/.bashrc when sshd starts it, and whoever runs the tests may have slow things in theirs.
    // sshd heeds the first line of this kind alone.
    [`SetEnv HOME=${at("home")}`, ...config.filter(isSetEnv).map((line) => line.slice(setEnv.length))].join(
      " ",
    ),
    ...config.filter((line) => !isSetEnv(line)),
  ];
  await writeFile(at("config"), `${lines.join("\n")}\n`);
  if (userInfo().uid === 0) await mkdir("/run/sshd", { recursive: true });
  const [command = program, ...words] = [...((await options.inside?.(directory)) ?? []), program];
  const child = spawn(command, [...words, "-D", "-e", "-f", at("config")], { stdio: "ignore" });
  await listening(port, child);
  return {
    address: {
      host: "127.0.0.1",
      port,
      user: options.user ?? userInfo().username,
      privateKeyPath: at("user"),
      hostKeys: [hostKey],
      proxy: null,
    },
    hostKey,
    directory,
    [Symbol.asyncDispose]: async () => {
      await kill(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A port that nothing listens on, at least just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  for (let round = 0; round < 200; round += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => resolve(true)).on("error", () => resolve(false));
      socket.on("connect", () => socket.destroy());
    });
    if (open) return;
    if (child.exitCode !== null) throw new Error(`sshd exited with ${child.exitCode}`);
    await sleep(25);
  }
  throw new Error("sshd does not listen");
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
