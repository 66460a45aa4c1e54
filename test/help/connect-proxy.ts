import { createServer, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";

export type ConnectProxy = AsyncDisposable & {
  readonly url: string;
  /** Each CONNECT so far, as `host:port` or, with credentials, `user:password@host:port`. */
  readonly asked: readonly string[];
  /** Breaks every connection that goes through it. */
  cut(): void;
};

/** An HTTP proxy that understands nothing but CONNECT. With `status` it refuses everything. */
export async function startConnectProxy(options: { readonly status?: number } = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
    const credentials = (request.headers["proxy-authorization"] ?? "").replace("Basic ", "");
    const user = Buffer.from(credentials, "base64").toString();
    asked.push(`${user}${user && "@"}${request.url}`);
    if (options.status !== undefined) {
      client.end(`HTTP/1.1 ${options.status} No\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      target.write(head);
      target.pipe(client).pipe(target);
    });
    join(client, target, sockets);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function join(client: Duplex, target: Socket, sockets: Set<Duplex>): void {
  for (const [one, other] of [
    [client, target],
    [target, client],
  ] as const) {
    sockets.add(one);
    one.on("error", () => other.destroy());
    one.on("close", () => {
      sockets.delete(one);
      other.destroy();
    });
  }
}
