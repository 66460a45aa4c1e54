import type { Emulator } from "../../src/emulator/emulator.ts";
import { sha256, toSignature, toSigningKey } from "../../src/emulator/signature.ts";

export type Signing = {
  readonly method?: string;
  readonly path?: string;
  readonly service: "ec2" | "s3" | "sts";
  readonly region?: string;
  /** Another name than the emulator's address. */
  readonly host?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Shifts the clock of the sender. */
  readonly skewMs?: number;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** What x-amz-content-sha256 says; the digest of the body unless given. */
  readonly payload?: string;
};

export type SignedRequest = {
  readonly url: string;
  readonly init: {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
  };
  readonly signature: string;
  readonly amzDate: string;
  readonly key: Buffer;
};

/** A request signed by hand, for what no SDK would send. */
export function toSigned({ url, cloud }: Emulator, signing: Signing): SignedRequest {
  const { method = "POST", path = "/", service, region = "us-east-1", body } = signing;
  const amzDate = new Date(Date.now() + (signing.skewMs ?? 0)).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const scope = { date: amzDate.slice(0, 8), region, service };
  const payload = signing.payload ?? sha256(body ?? "");
  const headers: Record<string, string> = {
    ...signing.headers,
    host: signing.host ?? new URL(url).host,
    "x-amz-content-sha256": payload,
    "x-amz-date": amzDate,
  };
  const signedHeaders = Object.keys(headers).sort();
  const key = toSigningKey(signing.secretAccessKey ?? cloud.credentials?.secretAccessKey ?? "", scope);
  const request = { method, path, query: [], headers, signedHeaders, payloadHash: payload };
  const signature = toSignature(key, scope, amzDate, request);
  const credential = `${signing.accessKeyId ?? cloud.credentials?.accessKeyId}/${scope.date}/${region}/${service}/aws4_request`;
  headers["authorization"] =
    `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(";")}, Signature=${signature}`;
  const { host: _, ...sent } = headers;
  const init = body === undefined ? { method, headers: sent } : { method, headers: sent, body };
  return { url: url + path, init, signature, amzDate, key };
}

/** Sends it; gives the status and the error code, if there is one. */
export async function send({
  url,
  init,
}: SignedRequest): Promise<{ status: number; code: string | undefined; text: string }> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, code: /<Code>(.*?)<\/Code>/.exec(text)?.[1], text };
}
