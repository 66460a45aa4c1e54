import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Emulator } from "../../src/emulator/emulator.ts";

/** A URL for `--emulator` by which the emulator is what it is, but that its instances are reached through this port. */
export async function startOtherNetwork(
  emulator: Emulator,
  port: number,
): Promise<AsyncDisposable & { readonly url: string }> {
  const cloud = { ...emulator.cloud, networkProxy: `http://127.0.0.1:${port}` };
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/_imgspec/cloud" ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(cloud));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
