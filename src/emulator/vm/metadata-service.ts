import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type Metadata,
  type MetadataSource,
  readMetadata,
  toIdentityDocument,
  toMetadata,
} from "./metadata.ts";

export type MetadataService = AsyncDisposable;

type Answer = {
  readonly status: number;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const ttlHeader = "x-aws-ec2-metadata-token-ttl-seconds";
const maxTtlSeconds = 6 * 60 * 60;

/**
 * One instance's metadata service, versions 1 and 2, on a socket in the file system: so it need not be told which
 * instance asks, and nobody else on this machine hears what user data says.
 */
export async function startMetadataService(
  socketPath: string,
  source: MetadataSource & { readonly userData: string | null },
): Promise<MetadataService> {
  const tokens = new Map<string, number>();
  const metadata = toMetadata(source);
  const server = createServer((request, response) => {
    const answer =
      request.method === "PUT" ? giveToken(request, tokens) : tell(request, source, metadata, tokens);
    send(response, answer);
  });
  server.listen(socketPath);
  await once(server, "listening");
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Version 2: a PUT, which no proxy may have forwarded, for a token that lives for some seconds. */
function giveToken({ headers, url }: IncomingMessage, tokens: Map<string, number>): Answer {
  if (url !== "/latest/api/token") return { status: 404 };
  if (headers["x-forwarded-for"] !== undefined) return { status: 403 };
  const ttl = Number(headers[ttlHeader]);
  if (!Number.isInteger(ttl) || ttl < 1 || ttl > maxTtlSeconds) return { status: 400 };
  const token = randomBytes(40).toString("base64");
  tokens.set(token, Date.now() + ttl * 1000);
  return { status: 200, text: token, headers: { [ttlHeader]: String(ttl) } };
}

function tell(
  { method, headers, url }: IncomingMessage,
  source: MetadataSource & { readonly userData: string | null },
  metadata: Metadata,
  tokens: ReadonlyMap<string, number>,
): Answer {
  if (method !== "GET" && method !== "HEAD") return { status: 405 };
  const token = headers["x-aws-ec2-metadata-token"];
  if (token === undefined && source.facts.metadataTokens === "required") return { status: 401 };
  // A token that is wrong or old is refused even where none is needed.
  if (token !== undefined && (tokens.get(String(token)) ?? 0) <= Date.now()) return { status: 401 };
  const [version = "", kind = "", ...rest] = (url ?? "/").split("?")[0]?.split("/").slice(1) ?? [];
  if (version === "") return { status: 200, text: "1.0\n2009-04-04\nlatest" };
  if (!/^(latest|1\.0|\d{4}-\d\d-\d\d)$/.test(version)) return { status: 404 };
  const found = find(kind, rest, source, metadata);
  return found === undefined ? { status: 404 } : { status: 200, text: found };
}

function find(
  kind: string,
  path: readonly string[],
  source: MetadataSource & { readonly userData: string | null },
  metadata: Metadata,
): string | undefined {
  if (kind === "") return source.userData === null ? "dynamic\nmeta-data" : "dynamic\nmeta-data\nuser-data";
  if (kind === "user-data") return source.userData ?? undefined;
  if (kind === "meta-data") return readMetadata(metadata, path, source.facts.keyName ?? "");
  const isDocument = kind === "dynamic" && path.join("/") === "instance-identity/document";
  return isDocument ? toIdentityDocument(source) : undefined;
}

function send(response: ServerResponse, { status, text, headers = {} }: Answer): void {
  response.writeHead(status, { "content-type": "text/plain", server: "EC2ws", ...headers });
  response.end(text ?? "");
}
