import { AwsFault } from "../fault.ts";
import { sha256 } from "../signature.ts";
import { type Ec2Action, type Ec2Answer, type Ec2Call, proceed } from "./ec2-call.ts";
import { rootDeviceTypeOf } from "./images.ts";
import { toReservation } from "./instance-xml.ts";
import { type LaunchRequest, readLaunchRequest } from "./launch-request.ts";
import type { Instance } from "./records.ts";
import { newId } from "./state.ts";

const maxTokenLength = 64;

/** Launches instances, once for each client token however often it is asked. */
export const runInstances: Ec2Action = (call) => {
  const { params, region } = call;
  const token = params.text("ClientToken") ?? "";
  if (token.length > maxTokenLength)
    throw new AwsFault("InvalidParameterValue", "ClientToken is limited to 64 ASCII characters");
  const digest = sha256(params.toText(["ClientToken", "DryRun"]));
  const used = token === "" ? undefined : region.tokens.get(token);
  if (used && used.digest !== digest) {
    throw new AwsFault(
      "IdempotentParameterMismatch",
      "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
    );
  }
  if (used) {
    proceed(call);
    return reservationAnswer(call, used.reservationId);
  }
  const request = readLaunchRequest(call);
  proceed(call);
  const reservationId = newId("r");
  if (token !== "") region.tokens.set(token, { token, digest, reservationId });
  for (let index = 0; index < request.count; index += 1) {
    const instance = toInstance(call, request, reservationId, index);
    region.instances.set(instance.id, instance);
    call.world.fleet.launch(region, instance, request.keyPair?.publicKey ?? null);
  }
  return reservationAnswer(call, reservationId);
};

function reservationAnswer(call: Ec2Call, reservationId: string): Ec2Answer {
  const instances = [...call.region.instances.values()].filter((one) => one.reservationId === reservationId);
  return toReservation(call, reservationId, instances);
}

function toInstance(
  call: Ec2Call,
  request: LaunchRequest,
  reservationId: string,
  launchIndex: number,
): Instance {
  const { image, subnet } = request;
  const { vpcId, privateAddress, publicAddress } = call.world.fleet.addresses(call.region.name, subnet);
  return {
    id: newId("i"),
    reservationId,
    launchIndex,
    imageId: image.id,
    type: request.type,
    architecture: image.architecture,
    virtualization: image.virtualization,
    kernelId: image.kernelId,
    ramdiskId: image.ramdiskId,
    rootDeviceName: image.rootDeviceName,
    rootDeviceType: rootDeviceTypeOf(image),
    keyName: request.keyPair?.name ?? null,
    groupIds: request.groupIds,
    zone: subnet.zone,
    subnetId: subnet.id,
    vpcId,
    state: "pending",
    stateReason: { code: "pending", message: "pending" },
    publicAddress: request.isPublic ? publicAddress : null,
    privateAddress,
    launchedAt: new Date().toISOString(),
    clientToken: call.params.text("ClientToken") ?? "",
    userData: request.userData,
    iamInstanceProfile: request.iamInstanceProfile,
    metadataTokens: request.metadataTokens,
    console: "",
    tags: request.tags,
  };
}
