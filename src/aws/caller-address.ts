import { get as httpGet, type IncomingMessage } from "node:http";
import { get as httpsGet } from "node:https";
import { isIP } from "node:net";
import { Problem } from "../problem.ts";
import type { CloudOptions } from "./cloud.ts";
import { toStopped } from "./stopped.ts";

/** AWS's own; answers with the address and a line feed. */
const awsCheckIpUrl = "https://checkip.amazonaws.com";

const answerMs = 10_000;
/** An address takes 45 characters at most; whoever sends more is not who was asked. */
const answerBytes = 1024;

/** The address under which this machine is seen from outside, IPv4 or IPv6. Rejects with a Problem. */
export async function callerAddress(options: CloudOptions, signal: AbortSignal): Promise<string> {
  const url = options.checkIpUrl ?? awsCheckIpUrl;
  const answer = await ask(url, signal).catch((error: unknown) => {
    if (signal.aborted) throw toStopped(signal.reason, `the question to ${url}`);
    throw unknown(`${url} did not tell this machine's public address`, error);
  });
  const address = answer.trim();
  if (isIP(address) !== 0) return address;
  throw unknown(`${url} answered ${JSON.stringify(address.slice(0, 60))} instead of an address`);
}

async function ask(url: string, signal: AbortSignal): Promise<string> {
  const within = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
  const response = await request(url, within);
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += chunk;
    if (text.length > answerBytes) break;
  }
  if (response.statusCode === 200) return text;
  throw new Error(`status ${response.statusCode}`);
}

function request(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  const get = url.startsWith("https:") ? httpsGet : httpGet;
  return new Promise((resolve, reject) => {
    get(url, { signal }, resolve).on("error", reject);
  });
}

function unknown(message: string, cause?: unknown): Problem {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new Problem("network-failed", `${message}${why}`, {
    hint: "check the network, or set launch.securityGroups to groups that let you in; then nobody needs to know",
    cause,
  });
}
