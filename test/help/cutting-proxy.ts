import { connect, createServer, type Socket } from "node:net";

export type CuttingProxy = AsyncDisposable & {
  readonly port: number;
  /** How many connections were made through it, and how many of them it cut. */
  readonly made: number;
  readonly cuts: number;
  /** How many go through it now. */
  readonly open: number;
  /** Breaks what goes through it now. */
  cut(): void;
  /** From now on nothing gets through, and nobody is told, as when a cable was pulled. `false`: all flows again. */
  hold(silent: boolean): void;
};

/**
 * Passes connections on to a port of this machine; the n-th is reset after `cutAfterBytes[n]` bytes from the server, or
 * to it, and those without a number stay.
 */
export async function startCuttingProxy(
  target: number,
  cutAfterBytes: readonly (number | undefined)[] = [],
  counted: "from the server" | "to the server" = "from the server",
): Promise<CuttingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let made = 0;
  let cuts = 0;
  let silent = false;
  const cutPair = (pair: readonly [Socket, Socket]): void => {
    if (!pairs.delete(pair)) return;
    cuts += 1;
    for (const socket of pair) socket.destroy();
  };
  const server = createServer((client) => {
    let left = cutAfterBytes[made] ?? Number.POSITIVE_INFINITY;
    made += 1;
    const machine = connect(target, "127.0.0.1");
    const pair = [client, machine] as const;
    pairs.add(pair);
    const [ahead, back] = counted === "from the server" ? [machine, client] : [client, machine];
    ahead.on("data", (chunk) => {
      if (silent) return;
      back.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) back.end(() => cutPair(pair));
    });
    back.on("data", (chunk) => {
      if (!silent) ahead.write(chunk);
    });
    for (const [one, other] of [pair, pair.toReversed()] as [Socket, Socket][]) {
      one.on("error", () => undefined);
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    get made() {
      return made;
    },
    get cuts() {
      return cuts;
    },
    get open() {
      return pairs.size;
    },
    cut: () => {
      for (const pair of [...pairs]) cutPair(pair);
    },
    hold: (value) => {
      silent = value;
    },
    [Symbol.asyncDispose]: async () => {
      for (const pair of [...pairs]) cutPair(pair);
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
