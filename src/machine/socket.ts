import { request } from "node:http";
import { connect as connectTcp, isIPv6, type Socket } from "node:net";

import { ConnectFailure, toConnectFailure } from "./connect-failure.ts";
import type { MachineAddress } from "./machine.ts";
import { askSocks } from "./socks.ts";

type Target = Pick<MachineAddress, "host" | "port" | "proxy">;

/**
 * A TCP connection to a machine, directly or through its proxy. Rejects with a ConnectFailure, a socket error, or
 * the signal's reason.
 */
export async function openSocket(address: Target, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  if (address.proxy === null) return openDirect(address, timeoutMs, signal);
  const proxy = new URL(address.proxy);
  if (proxy.protocol !== "socks5:") return openThroughProxy(address, proxy, timeoutMs, signal);
  const to = { host: proxy.hostname.replace(/^\[|\]$/g, ""), port: Number(proxy.port || 1080) };
  const socket = await openDirect(to, timeoutMs, signal).catch((error: unknown) => {
    signal.throwIfAborted();
    const why = toConnectFailure(error, []).message;
    throw new ConnectFailure("proxy", `the proxy ${proxy.host} cannot be used: ${why}`, error, "the proxy");
  });
  return askSocks(socket, address, proxy, timeoutMs, signal);
}

function openDirect(
  { host, port }: Omit<Target, "proxy">,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host, port });
    const stop = (reason: unknown): void => {
      settle();
      // An error after the answer was given has nobody to tell.
      socket.on("error", () => undefined);
      socket.destroy();
      reject(reason);
    };
    const onAbort = (): void => stop(signal.reason);
    const onTimeout = (): void => stop(new ConnectFailure("filtered", "no answer (timed out)"));
    const onConnect = (): void => {
      settle();
      socket.setTimeout(0);
      resolve(socket);
    };
    const settle = (): void => {
      socket.off("connect", onConnect).off("error", stop).off("timeout", onTimeout);
      signal.removeEventListener("abort", onAbort);
    };
    socket.setTimeout(timeoutMs).on("connect", onConnect).on("error", stop).on("timeout", onTimeout);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function openThroughProxy(
  { host, port }: Target,
  proxy: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const target = `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    const asked = request({
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || 80,
      path: target,
      headers: { host: target, ...authorization(proxy) },
      agent: false,
      timeout: timeoutMs,
      signal,
    });
    const refuse = (message: string, cause?: unknown, status = 0): void => {
      asked.destroy();
      const kind = status === 407 ? "proxy-credentials" : "proxy";
      reject(signal.aborted ? signal.reason : new ConnectFailure(kind, message, cause, "the proxy"));
    };
    const answered = (status = 0): void =>
      refuse(`the proxy ${proxy.host} answered ${status} to CONNECT ${target}`, undefined, status);
    asked.on("connect", (response, socket, head) => {
      if (response.statusCode !== 200) {
        socket.destroy();
        return answered(response.statusCode);
      }
      socket.setTimeout(0);
      if (head.length > 0) socket.unshift(head);
      // With node:http and no TLS the socket of a CONNECT is a net.Socket; the types say Duplex.
      resolve(socket as Socket);
    });
    asked.on("response", ({ statusCode }) => answered(statusCode));
    asked.on("timeout", () => refuse(`the proxy ${proxy.host} did not connect in time`));
    asked.on("error", (error) => refuse(`the proxy ${proxy.host} cannot be used: ${error.message}`, error));
    asked.end();
  });
}

function authorization(proxy: URL): Record<string, string> {
  if (proxy.username === "") return {};
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { "proxy-authorization": `Basic ${Buffer.from(credentials).toString("base64")}` };
}
