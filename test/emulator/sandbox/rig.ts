import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type ExecOptions, type Client as SshClient } from "ssh2";
import type { Guest, InstanceHost, Root, StartRequest } from "../../../src/emulator/instance-host.ts";
import { newSandboxHost } from "../../../src/emulator/sandbox/host.ts";
import { newKeyPair } from "../../../src/machine/key-pair.ts";
import { facts } from "../../help/instance-facts.ts";

const { Client } = ssh2;

export const keys: { readonly private: string; readonly public: string } = newKeyPair("");

type Outcome = {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** An instance with somebody logged in. */
export type LoggedIn = AsyncDisposable & {
  readonly guest: Guest;
  readonly client: SshClient;
  run(command: string, options?: ExecOptions & { readonly stdin?: string | Uint8Array }): Promise<Outcome>;
};

export type Rig = AsyncDisposable & {
  readonly host: InstanceHost;
  readonly directory: string;
  launch(options?: Partial<StartRequest> & { readonly user?: string }): Promise<LoggedIn>;
};

/** Why instances cannot run on this machine, or `undefined`: then the tests that need one are skipped. */
export async function whyNot(): Promise<string | undefined> {
  const directory = mkdtempSync(join(tmpdir(), "imgspec-sandbox-"));
  try {
    await newSandboxHost({ directory }).check();
    return undefined;
  } catch (error) {
    return String(error);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

export function newRig(): Rig {
  const directory = mkdtempSync(join(tmpdir(), "imgspec-sandbox-"));
  const host = newSandboxHost({ directory });
  let count = 0;
  return {
    host,
    directory,
    launch: async ({ user = "ec2-user", ...request } = {}) => {
      count += 1;
      const guest = await host.start({
        instanceId: `i-${String(count).padStart(17, "0")}`,
        root: request.root ?? ((await host.baseRoot()) satisfies Root),
        authorizedKeys: [keys.public],
        hostname: "ip-10-0-0-1",
        userData: null,
        facts,
        signal: AbortSignal.timeout(20_000),
        ...request,
      });
      return logIn(guest, user);
    },
    async [Symbol.asyncDispose]() {
      await host.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** `keep`: the guest outlives this login. */
export async function logIn(
  guest: Guest,
  username: string,
  options: { readonly keep?: boolean } = {},
): Promise<LoggedIn> {
  const client = await connect({ port: guest.port, username, privateKey: keys.private });
  return {
    guest,
    client,
    run: (command, options = {}) => runOver(client, command, options),
    async [Symbol.asyncDispose]() {
      client.end();
      if (options.keep !== true) await guest.stop();
    },
  };
}

export async function connect(options: {
  readonly port: number;
  readonly username: string;
  readonly privateKey: string;
}): Promise<SshClient> {
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve).once("error", reject);
    client.connect({ host: "127.0.0.1", ...options });
  });
  client.setNoDelay(true);
  return client;
}

function runOver(
  client: SshClient,
  command: string,
  { stdin = "", ...options }: ExecOptions & { readonly stdin?: string | Uint8Array },
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error) return reject(error);
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      channel.on("data", (chunk: Buffer) => out.push(chunk));
      channel.stderr.on("data", (chunk: Buffer) => err.push(chunk));
      channel.on("close", (code: number | null, signal?: string) =>
        resolve({
          code,
          signal: signal ?? null,
          stdout: Buffer.concat(out).toString("latin1"),
          stderr: Buffer.concat(err).toString("latin1"),
        }),
      );
      channel.end(stdin);
    });
  });
}
