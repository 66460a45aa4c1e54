import { regionOf } from "../util/region.ts";
import { readSignedForm } from "./body.ts";
import type { Call } from "./call.ts";
import { disturb } from "./disturb.ts";
import { AwsFault } from "./fault.ts";
import { toXmlDocument } from "./xml.ts";

const namespace = "https://sts.amazonaws.com/doc/2011-06-15/";

/** Answers GetCallerIdentity, which needs no permission: nothing can deny it. */
export async function answerSts(call: Call): Promise<void> {
  const { world, authorization, request, response, requestId } = call;
  const form = await readSignedForm(call.incoming, authorization, request, [world.identity.accessKey]);
  const action = new URLSearchParams(form).get("Action") ?? "";
  if (action !== "GetCallerIdentity") {
    throw new AwsFault("InvalidAction", `Could not find operation ${action} for version 2011-06-15`);
  }
  const effect = await disturb(call, action);
  if (effect === "cut" || effect === "cut-after") {
    call.incoming.socket.destroy();
    return;
  }
  const text = toXmlDocument("GetCallerIdentityResponse", {
    "@xmlns": namespace,
    GetCallerIdentityResult: {
      Arn: world.callerArn(regionOf(authorization.scope.region).partition),
      UserId: `AIDA${world.identity.accessKey.accessKeyId.slice(4)}`,
      Account: world.identity.accountId,
    },
    ResponseMetadata: { RequestId: requestId },
  });
  response.writeHead(200, { "content-type": "text/xml" }).end(text);
}

/** Writes an error as STS does. */
export function refuseSts(
  { response, requestId }: Pick<Call, "response" | "requestId">,
  fault: AwsFault,
): void {
  const text = toXmlDocument("ErrorResponse", {
    "@xmlns": namespace,
    Error: { Type: fault.status < 500 ? "Sender" : "Receiver", Code: fault.code, Message: fault.message },
    RequestId: requestId,
  });
  response.writeHead(fault.status, { "content-type": "text/xml" }).end(text);
}
