import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { allows } from "./ec2/ingress.ts";
import type { World } from "./world.ts";

/** Where the caller is, as `/checkip` tells: an address that no network uses (RFC 5737). */
export const callerAddress = "198.51.100.7";

/** How long a packet to a filtered port gets no answer; the real network would let one wait for minutes. */
const filteredMs = 100;
const sshPort = 22;
/** How long an instance may take to greet; a busy one that boots is slow. */
const silentMs = 5000;

/** Answers `CONNECT ADDRESS:PORT`: joins the caller with an instance, if its security groups let the caller in. */
export async function answerConnect(
  world: World,
  request: IncomingMessage,
  caller: Duplex,
  head: Buffer,
): Promise<void> {
  caller.on("error", () => caller.destroy());
  const [, address = "", port = ""] = /^([0-9.]+):(\d{1,5})$/.exec(request.url ?? "") ?? [];
  const found = world.fleet.at(address);
  const rules = found?.instance.groupIds.flatMap((id) => found.region.groups.get(id)?.ingress ?? []) ?? [];
  if (!found || !allows(rules, callerAddress, Number(port))) {
    await delay(filteredMs, undefined, { ref: false });
    refuse(caller, "504 Gateway Timeout");
    return;
  }
  // Only an SSH server listens in an instance.
  if (Number(port) !== sshPort) {
    refuse(caller, "502 Bad Gateway");
    return;
  }
  join(caller, found.guest.port, head);
}

/** The port of a virtual machine takes connections before anything in it listens: only what its server says tells. */
function join(caller: Duplex, port: number, head: Buffer): void {
  const guest = connect({ port, host: "127.0.0.1", noDelay: true });
  let isJoined = false;
  const giveUp = setTimeout(() => guest.destroy(new Error("nobody answers")), silentMs).unref();
  // An SSH server speaks first (RFC 4253, section 4.2).
  guest.once("data", (greeting: Buffer) => {
    isJoined = true;
    clearTimeout(giveUp);
    caller.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    caller.write(greeting);
    guest.write(head);
    guest.pipe(caller);
    caller.pipe(guest);
  });
  guest.on("error", () => {
    if (isJoined) caller.destroy();
  });
  guest.once("close", () => {
    clearTimeout(giveUp);
    if (isJoined) caller.end();
    else refuse(caller, "502 Bad Gateway");
  });
  caller.once("close", () => guest.destroy());
}

function refuse(caller: Duplex, status: string): void {
  caller.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
}
