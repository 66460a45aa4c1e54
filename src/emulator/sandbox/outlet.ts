import { spawn } from "node:child_process";
import { once } from "node:events";
import { Server, type Socket } from "node:net";
import { Problem } from "../../problem.ts";
import type { Outlet } from "../instance-host.ts";
import type { IdMap } from "./id-map.ts";

/**
 * Listens and hands its socket over. A socket belongs to the network that it was made in, whoever accepts on it: so
 * nothing has to run in the instance, nor to relay.
 */
const listener = `const server = require("node:net").createServer();
server.on("error", (error) => { process.stderr.write(error.message); process.exit(1); });
server.listen(Number(process.argv[1]), "127.0.0.1", () => {
  process.send("listening", server, () => process.exit(0));
});`;

/** Lets an instance, named by its first process, reach the outlet at its port on loopback. */
export async function openOutlet(pid: number, { kind }: IdMap, outlet: Outlet): Promise<AsyncDisposable> {
  // Root enters a network from where it is; others need the user namespace that it belongs to, in which they stay who
  // they are, so that they can still read their own Node.js.
  const into = kind === "delegated" ? ["--net"] : ["--user", "--preserve-credentials", "--net"];
  const words = [
    "--target",
    String(pid),
    ...into,
    "--",
    process.execPath,
    "-e",
    listener,
    String(outlet.port),
  ];
  const child = spawn("/usr/bin/nsenter", words, { stdio: ["ignore", "ignore", "pipe", "ipc"], env: {} });
  let complaint = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    complaint += chunk.toString();
  });
  const failed = once(child, "close").then(() => undefined);
  const server = await Promise.race([
    new Promise<Server | undefined>((resolve) => {
      child.once("message", (_, handle) => resolve(handle instanceof Server ? handle : undefined));
      child.once("error", () => resolve(undefined));
    }),
    failed,
  ]);
  if (server === undefined) {
    throw new Problem(
      "sandbox-unavailable",
      `the instance cannot be given its way to S3: ${complaint.trim()}`,
    );
  }
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    outlet.accept(socket);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
