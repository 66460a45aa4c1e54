import { connect, createServer, type Socket } from "node:net";

export type SocksProxy = AsyncDisposable & {
  /** `socks5://127.0.0.1:PORT`. */
  readonly url: string;
  /** What was asked for so far, as `host:port`, with `user:password@` before it where that was told. */
  readonly asked: readonly string[];
  cut(): void;
};

/** A SOCKS 5 server (RFC 1928, RFC 1929) that knows CONNECT. With `credentials` it lets in nobody else; `refuse` answers that. */
export async function startSocksProxy(
  options: { readonly credentials?: string; readonly refuse?: number } = {},
): Promise<SocksProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined).on("close", () => sockets.delete(client));
    serve(client, options, asked).catch(() => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `socks5://127.0.0.1:${address.port}`,
    asked,
    cut,
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  client: Socket,
  { credentials, refuse = 0 }: { readonly credentials?: string; readonly refuse?: number },
  asked: string[],
): Promise<void> {
  const read = async (bytes: number): Promise<Buffer> => {
    for (;;) {
      const chunk: unknown = client.read(bytes);
      if (Buffer.isBuffer(chunk)) return chunk;
      if (client.readableEnded || client.destroyed) throw new Error("closed");
      await new Promise<void>((resolve) => {
        client.once("readable", resolve).once("close", resolve);
      });
    }
  };
  const byte = async (): Promise<number> => (await read(1))[0] ?? 0;
  await byte();
  const methods = await read(await byte());
  const wanted = credentials === undefined ? 0 : 2;
  client.write(Uint8Array.of(5, methods.includes(wanted) ? wanted : 255));
  let who = "";
  if (wanted === 2) {
    await byte();
    const user = await read(await byte());
    who = `${user}:${await read(await byte())}`;
    client.write(Uint8Array.of(1, who === credentials ? 0 : 1));
  }
  const [, , , type] = await read(4);
  const host = type === 1 ? [...(await read(4))].join(".") : String(await read(await byte()));
  const port = (await read(2)).readUInt16BE();
  asked.push(`${who}${who && "@"}${host}:${port}`);
  const answer = (code: number): unknown => client.write(Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0));
  if (refuse !== 0) return void answer(refuse);
  const target = connect(port, host, () => {
    answer(0);
    client.pipe(target).pipe(client);
  });
  target.on("error", () => client.destroy()).on("close", () => client.destroy());
  client.on("close", () => target.destroy());
}
