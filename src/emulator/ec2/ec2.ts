import { readSignedForm } from "../body.ts";
import type { Call } from "../call.ts";
import { disturb } from "../disturb.ts";
import { AwsFault } from "../fault.ts";
import { toXmlDocument } from "../xml.ts";
import { type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { groupActions } from "./groups.ts";
import { attributeActions } from "./image-attributes.ts";
import { lifetimeActions } from "./image-lifetime.ts";
import { imageActions } from "./images.ts";
import { instanceActions } from "./instances.ts";
import { keyPairActions } from "./key-pairs.ts";
import { launchTemplateActions } from "./launch-templates.ts";
import { Params } from "./params.ts";
import { placeActions } from "./places.ts";
import { registerImage } from "./register-image.ts";
import { runInstances } from "./run-instances.ts";
import { snapshotActions } from "./snapshots.ts";
import { tagActions } from "./tagging.ts";
import { typeActions } from "./type-actions.ts";

const actions: Readonly<Record<string, Ec2Action>> = {
  ...placeActions,
  ...typeActions,
  ...keyPairActions,
  ...groupActions,
  ...imageActions,
  ...attributeActions,
  ...lifetimeActions,
  ...snapshotActions,
  ...instanceActions,
  ...launchTemplateActions,
  ...tagActions,
  RegisterImage: registerImage,
  RunInstances: runInstances,
};

const namespace = "http://ec2.amazonaws.com/doc/2016-11-15/";

/** Answers one EC2 call. */
export async function answerEc2(call: Call): Promise<void> {
  const { world, authorization, request, response, requestId } = call;
  const form = await readSignedForm(call.incoming, authorization, request, [world.identity.accessKey]);
  const { region } = authorization.scope;
  if (!world.regions.includes(region)) {
    throw new AwsFault("AuthFailure", "Credential should be scoped to a valid region.");
  }
  const params = Params.parse(form);
  const name = params.text("Action") ?? "";
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (!action) throw new AwsFault("InvalidAction", `The action ${name} is not valid for this web service.`);
  // A dry run asks EC2 for leave only; what may be scarce or slow is the action itself.
  const isDryRun = params.text("DryRun") === "true";
  const effect = await disturb(call, isDryRun ? `${name}:DryRun` : name);
  if (effect === "cut") return;
  if (world.rules.isDenied(name)) throw unauthorized(call, name);
  const ec2Call: Ec2Call = { ...call, params, region: world.ec2.region(region) };
  const answer = await action(ec2Call);
  if (name.startsWith("Describe") || name.startsWith("Get")) proceed(ec2Call);
  else await world.ec2.save();
  if (effect === "cut-after") {
    call.incoming.socket.destroy();
    return;
  }
  const text = toXmlDocument(`${name}Response`, { "@xmlns": namespace, requestId, ...answer });
  response.writeHead(200, { "content-type": "text/xml;charset=UTF-8" }).end(text);
}

function unauthorized({ world }: Call, action: string): AwsFault {
  const user = world.callerArn("aws");
  return new AwsFault(
    "UnauthorizedOperation",
    `You are not authorized to perform this operation. User: ${user} is not authorized to perform: ec2:${action} because no identity-based policy allows the ec2:${action} action`,
  );
}

/** Writes an error as EC2 does. */
export function refuseEc2(
  { response, requestId }: Pick<Call, "response" | "requestId">,
  fault: AwsFault,
): void {
  const text = toXmlDocument("Response", {
    Errors: { Error: { Code: fault.code, Message: fault.message } },
    RequestID: requestId,
  });
  response.writeHead(fault.status, { "content-type": "text/xml;charset=UTF-8" }).end(text);
}
