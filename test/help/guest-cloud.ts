import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import type { CloudOptions } from "../../src/aws/cloud.ts";
import type { Guest } from "../../src/emulator/instance-host.ts";
import { newSandboxHost } from "../../src/emulator/sandbox/host.ts";
import { facts } from "./instance-facts.ts";

/** What an AWS without real instances lacks: an address service, and a proxy behind which each address is one guest. */
export type GuestCloud = AsyncDisposable & {
  readonly options: Pick<CloudOptions, "checkIpUrl" | "networkProxy">;
  /** Where the guest looks for the keys that may log in: the directory of a run. */
  letIn(directory: string): void;
};

export async function startGuestCloud(): Promise<GuestCloud> {
  const home = await mkdtemp(join(tmpdir(), "imgspec-guest-"));
  const host = newSandboxHost({ directory: home });
  let keys = "";
  let guest: Promise<Guest> | undefined;
  const start = async (): Promise<Guest> =>
    host.start({
      instanceId: "i-0123456789abcdef0",
      root: await host.baseRoot(),
      authorizedKeys: await publicKeysIn(keys),
      hostname: "ip-10-0-0-1",
      userData: null,
      facts,
      signal: AbortSignal.timeout(30_000),
    });
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.end("203.0.113.9\n"));
  server.on("connect", (_request, client: Socket) => {
    sockets.add(client.on("error", () => client.destroy()));
    guest ??= start();
    void guest.then(({ port }) => {
      const far = connect(port, "127.0.0.1", () => client.write("HTTP/1.1 200 OK\r\n\r\n"));
      sockets.add(far.on("error", () => client.destroy()));
      client.pipe(far).pipe(client);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    options: { checkIpUrl: url, networkProxy: url },
    letIn: (directory) => {
      keys = directory;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await host.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function publicKeysIn(directory: string): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".key"));
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.map((text) => {
    const key = ssh2.utils.parseKey(text);
    if (key instanceof Error) throw key;
    return `${key.type} ${key.getPublicSSH().toString("base64")}`;
  });
}
