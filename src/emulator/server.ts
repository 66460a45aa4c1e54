import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type RawRequest, readAuthorization } from "./authorization.ts";
import type { Call } from "./call.ts";
import { toCloudOptions } from "./cloud-options.ts";
import { answerEbs, refuseEbs } from "./ebs/ebs.ts";
import { answerEc2, refuseEc2 } from "./ec2/ec2.ts";
import { AwsFault } from "./fault.ts";
import { answerConnect, callerAddress } from "./gateway.ts";
import { answerS3, refuseS3 } from "./s3/s3.ts";
import { answerSts, refuseSts } from "./sts.ts";
import type { World } from "./world.ts";

type Service = {
  readonly answer: (call: Call) => Promise<void>;
  readonly refuse: (call: Pick<Call, "request" | "requestId" | "response">, fault: AwsFault) => void;
};

const services: Readonly<Record<string, Service>> = {
  ebs: { answer: answerEbs, refuse: refuseEbs },
  ec2: { answer: answerEc2, refuse: refuseEc2 },
  s3: { answer: answerS3, refuse: refuseS3 },
  sts: { answer: answerSts, refuse: refuseSts },
};

/** One HTTP server for all services of a world; the credential scope of a request says which it means. */
export function createWorldServer(world: World): Server {
  const server = createServer((incoming, response) => {
    // A caller that goes away in the middle is no concern of the server's.
    incoming.on("error", () => response.destroy());
    void answer(world, incoming, response, isFromGuest(world, incoming) ? "guest" : "host");
  });
  server.on("connect", (request, socket, head) => {
    world.tunnels.add(socket);
    socket.once("close", () => world.tunnels.delete(socket));
    void answerConnect(world, request, socket, head);
  });
  // Uploads of large parts over a slow run must not be cut off after five minutes.
  server.requestTimeout = 0;
  return server;
}

/** What instances reach, by sockets that it is given: S3, and nothing that could hand out a credential or a tunnel. */
export function createGuestServer(world: World): Server {
  const server = createServer((incoming, response) => {
    incoming.on("error", () => response.destroy());
    void answer(world, incoming, response, "guest");
  });
  server.requestTimeout = 0;
  return server;
}

async function answer(
  world: World,
  incoming: IncomingMessage,
  response: ServerResponse,
  caller: "host" | "guest",
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader("x-amzn-requestid", requestId);
  response.setHeader("x-amz-request-id", requestId);
  if (!isLocal(incoming.headers.host) && !isFromGuest(world, incoming)) {
    response
      .writeHead(403, { "content-type": "text/plain" })
      .end("this server answers to loopback names only\n");
    return;
  }
  if (caller === "host" && incoming.method === "GET" && incoming.url === "/checkip") {
    response.writeHead(200, { "content-type": "text/plain" }).end(`${callerAddress}\n`);
    return;
  }
  if (caller === "host" && incoming.method === "GET" && incoming.url === "/_imgspec/cloud") {
    const options = toCloudOptions(`http://${incoming.headers.host}`, world.identity, world.gateway);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(options));
    return;
  }
  const request = toRawRequest(incoming);
  let service = services["s3"];
  try {
    const authorization = readAuthorization(request);
    if (!authorization) throw new AwsFault("AccessDenied", "Access Denied");
    const named = authorization.scope.service;
    service = caller === "host" || named === "s3" ? services[named] : undefined;
    await answerSigned(service, { world, request, authorization, requestId, incoming, response });
  } catch (error) {
    if (incoming.destroyed && !incoming.complete) response.destroy();
    else refuse(service, { request, requestId, response }, error);
  }
}

async function answerSigned(service: Service | undefined, call: Call): Promise<void> {
  if (!service) {
    throw new AwsFault(
      "SignatureDoesNotMatch",
      `Credential should be scoped to a service of the emulator (${Object.keys(services).join(", ")}), not: ${call.authorization.scope.service}`,
    );
  }
  await service.answer(call);
}

function refuse(
  service: Service | undefined,
  call: Pick<Call, "request" | "requestId" | "response">,
  error: unknown,
): void {
  if (call.response.headersSent) {
    call.response.destroy();
    return;
  }
  const fault =
    error instanceof AwsFault
      ? error
      : new AwsFault("InternalError", `The emulator failed: ${String(error)}`);
  (service?.refuse ?? refuseSts)(call, fault);
}

/** An instance that reaches us through a gateway calls us by its address. */
function isFromGuest({ gateway }: World, { headers }: IncomingMessage): boolean {
  return gateway !== undefined && (headers.host ?? "").replace(/:\d+$/, "") === gateway;
}

/** A web page in a browser could reach loopback under its own name (DNS rebinding); it may not. */
function isLocal(host: string | undefined): boolean {
  const name = (host ?? "").replace(/:\d+$/, "");
  return ["127.0.0.1", "localhost", "[::1]"].includes(name) || name.endsWith(".localhost");
}

function toRawRequest(incoming: IncomingMessage): RawRequest {
  const [path = "/", query = ""] = splitAt(incoming.url ?? "/", "?");
  const headers = Object.entries(incoming.headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(",") : value,
  ]);
  return {
    method: incoming.method ?? "GET",
    path,
    query: query === "" ? [] : query.split("&").map((pair) => toPair(pair)),
    headers: Object.fromEntries(headers),
  };
}

function toPair(pair: string): readonly [string, string] {
  const [name = "", value = ""] = splitAt(pair, "=");
  return [decode(name), decode(value)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function splitAt(text: string, separator: string): readonly string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
