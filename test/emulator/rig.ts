import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { Guest, InstanceHost, StartRequest } from "../../src/emulator/instance-host.ts";
import { startEmulator } from "../../src/emulator/start.ts";

/** An emulator with clients for it; its instances are TCP servers that say their greeting and echo. */
export type Rig = AsyncDisposable & {
  readonly emulator: Emulator;
  readonly host: FakeHost;
  readonly directory: string;
  ebs(region?: string): EBSClient;
  ec2(region?: string): EC2Client;
  s3(region?: string): S3Client;
  sts(region?: string): STSClient;
};

let identity: string | undefined;

/** A rig of its own for one test. Clients never retry, so that a test sees the first answer. */
export async function newRig(gateway?: string): Promise<Rig> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-emulator-"));
  const host = newFakeHost(gateway);
  // Making three RSA keys takes longer than most tests.
  if (identity !== undefined) await writeFile(join(directory, "identity.json"), identity);
  const emulator = await startEmulator({ directory, instances: host });
  identity ??= await readFile(join(directory, "identity.json"), "utf8");
  const clients: { destroy(): void }[] = [];
  const made = <T extends { destroy(): void }>(client: T): T => {
    clients.push(client);
    return client;
  };
  return {
    emulator,
    host,
    directory,
    ebs: (region) => made(new EBSClient(toClientOptions(emulator, region))),
    ec2: (region) => made(new EC2Client(toClientOptions(emulator, region))),
    s3: (region) => made(new S3Client({ ...toClientOptions(emulator, region), forcePathStyle: true })),
    sts: (region) => made(new STSClient(toClientOptions(emulator, region))),
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await emulator[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export type ClientOptions = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly maxAttempts: number;
};

/** What a client of the SDK needs to speak to the emulator. */
export function toClientOptions({ url, cloud }: Emulator, region = "us-east-1"): ClientOptions {
  const credentials = cloud.credentials ?? { accessKeyId: "", secretAccessKey: "" };
  return { endpoint: url, region, credentials, maxAttempts: 1 };
}

/** The name of the error that a call ends with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  return (await errorOf(call)).name;
}

/** The error that a call ends with; a call that succeeds is one. */
export async function errorOf(
  call: Promise<unknown>,
): Promise<Error & { readonly $metadata?: { readonly httpStatusCode?: number } }> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  return new Error("the call succeeded");
}

/** Asks until the answer is as wanted; the test's own time limit ends it. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

type FakeHost = InstanceHost & {
  readonly started: StartRequest[];
  /** Paths of images that roots were made of, with the bytes that were in them. */
  readonly images: { readonly key: string; readonly bytes: Buffer }[];
  /** When set, the next start fails with it. */
  failure: Error | undefined;
  /** False: its servers hang up without a word. */
  greets: boolean;
};

function newFakeHost(gateway: string | undefined): FakeHost {
  const servers = new Set<Server>();
  const host: FakeHost = {
    ...(gateway === undefined ? {} : { gateway }),
    started: [],
    images: [],
    failure: undefined,
    greets: true,
    check: () => Promise.resolve(),
    baseRoot: () => Promise.resolve({ id: "base", path: "/nowhere" }),
    rootFromImage: async (path, key) => {
      host.images.push({ key, bytes: await readFile(path) });
      return { id: key, path: "/nowhere" };
    },
    start: async (request) => {
      host.started.push(request);
      if (host.failure) throw host.failure;
      return startGuest(request, servers, host.greets);
    },
    close: async () => {
      for (const server of servers) server.close();
    },
  };
  return host;
}

async function startGuest(request: StartRequest, servers: Set<Server>, greets: boolean): Promise<Guest> {
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy());
    if (!greets) return void socket.end();
    socket.write(`${request.instanceId}\n`);
    socket.pipe(socket);
  });
  servers.add(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    hostKey: "ssh-ed25519 AAAA",
    consoleOutput: () => `booted ${request.instanceId}\n`,
    stop: async () => {
      servers.delete(server);
      server.close();
    },
  };
}
