import { createHash } from "node:crypto";
import { regionOf } from "../../util/region.ts";
import { checkSignature } from "../authorization.ts";
import { readText } from "../body.ts";
import type { Call } from "../call.ts";
import { disturb } from "../disturb.ts";
import { AwsFault } from "../fault.ts";
import type { EbsAction, EbsAnswer } from "./ebs-call.ts";
import { getSnapshotBlock, listSnapshotBlocks } from "./reading.ts";
import { completeSnapshot, putSnapshotBlock, startSnapshot } from "./writing.ts";

type Route = {
  readonly name: string;
  readonly method: string;
  readonly path: RegExp;
  readonly action: EbsAction;
};

const routes: readonly Route[] = [
  { name: "StartSnapshot", method: "POST", path: /^\/snapshots$/, action: startSnapshot },
  {
    name: "CompleteSnapshot",
    method: "POST",
    path: /^\/snapshots\/completion\/(?<id>[^/]+)$/,
    action: completeSnapshot,
  },
  {
    name: "PutSnapshotBlock",
    method: "PUT",
    path: /^\/snapshots\/(?<id>[^/]+)\/blocks\/(?<index>\d+)$/,
    action: putSnapshotBlock,
  },
  {
    name: "GetSnapshotBlock",
    method: "GET",
    path: /^\/snapshots\/(?<id>[^/]+)\/blocks\/(?<index>\d+)$/,
    action: getSnapshotBlock,
  },
  {
    name: "ListSnapshotBlocks",
    method: "GET",
    path: /^\/snapshots\/(?<id>[^/]+)\/blocks$/,
    action: listSnapshotBlocks,
  },
];

/** A block, or the longest list of tags. */
const maxBodyBytes = 1024 * 1024;

/** Answers one call of the EBS direct APIs, which are JSON over plain paths. */
export async function answerEbs(call: Call): Promise<void> {
  const { world, authorization, request, response } = call;
  const body = await readText(call.incoming, maxBodyBytes);
  // Blocks are not signed: their checksum is held against them instead.
  const payload = request.headers["x-amz-content-sha256"] ?? createHash("sha256").update(body).digest("hex");
  checkSignature(authorization, request, payload, [world.identity.accessKey]);
  const { region } = authorization.scope;
  if (!world.regions.includes(region)) throw new AwsFault("UnrecognizedClientException", "No such region.");
  const route = routes.find(({ method, path }) => method === request.method && path.test(request.path));
  if (!route) throw new AwsFault("UnknownOperationException", `${request.method} ${request.path}`);
  const effect = await disturb(call, route.name);
  if (effect === "cut") return;
  if (world.rules.isDenied(route.name)) throw denied(call, route.name);
  const named = route.path.exec(request.path)?.groups ?? {};
  const answer = await route.action({
    ...call,
    region: world.ec2.region(region),
    body,
    query: new Map(request.query),
    snapshotId: named["id"] ?? "",
    blockIndex: Number(named["index"] ?? 0),
  });
  if (effect === "cut-after") call.incoming.socket.destroy();
  else send(response, answer);
}

function send(response: Call["response"], { status, headers = {}, body }: EbsAnswer): void {
  const isBytes = body instanceof Uint8Array;
  const type = isBytes ? "application/octet-stream" : "application/json";
  response.writeHead(status, { "content-type": type, ...headers }).end(isBytes ? body : JSON.stringify(body));
}

function denied({ world, authorization }: Call, action: string): AwsFault {
  const { region } = authorization.scope;
  const { partition } = regionOf(region);
  return new AwsFault(
    "AccessDeniedException",
    `User: ${world.callerArn(partition)} is not authorized to perform: ebs:${action} on resource: arn:${partition}:ec2:${region}::snapshot/* because no identity-based policy allows the ebs:${action} action`,
    { status: 403 },
  );
}

/** Writes an error as EBS does. */
export function refuseEbs(
  { response }: Pick<Call, "response">,
  { status, code, message, details }: AwsFault,
): void {
  response
    .writeHead(status, { "content-type": "application/json", "x-amzn-errortype": code })
    .end(JSON.stringify({ Message: message, ...details }));
}
