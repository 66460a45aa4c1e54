import { AwsFault } from "../fault.ts";
import { toItems } from "../xml.ts";
import { type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { type FilterTable, filtered } from "./filters.ts";
import { toReservation, toState } from "./instance-xml.ts";
import { toPage } from "./pages.ts";
import type { Instance } from "./records.ts";

const describeInstances: Ec2Action = (call) => {
  const page = toPage(call.params, reservationsOf(call));
  return {
    reservationSet: toItems(page.things.map(([id, instances]) => toReservation(call, id, instances))),
    nextToken: page.nextToken,
  };
};

function reservationsOf(call: Ec2Call): readonly (readonly [string, readonly Instance[]])[] {
  const chosen = filtered(call.params, named(call), filters, ({ tags }) => tags);
  const reservations = new Map<string, Instance[]>();
  for (const instance of chosen) {
    reservations.set(instance.reservationId, [...(reservations.get(instance.reservationId) ?? []), instance]);
  }
  return [...reservations];
}

const filters: FilterTable<Instance> = {
  "instance-id": ({ id }) => id,
  "instance-state-name": ({ state }) => state,
  "instance-state-code": ({ state }) => toState(state).code,
  "instance-type": ({ type }) => type,
  "image-id": ({ imageId }) => imageId,
  "key-name": ({ keyName }) => keyName,
  "client-token": ({ clientToken }) => clientToken,
  "reservation-id": ({ reservationId }) => reservationId,
  "availability-zone": ({ zone }) => zone,
  "subnet-id": ({ subnetId }) => subnetId,
  "vpc-id": ({ vpcId }) => vpcId,
  "ip-address": ({ publicAddress }) => publicAddress,
  "private-ip-address": ({ privateAddress }) => privateAddress,
  "instance.group-id": ({ groupIds }) => groupIds,
  "group-id": ({ groupIds }) => groupIds,
  architecture: ({ architecture }) => architecture,
  "virtualization-type": ({ virtualization }) => virtualization,
  "root-device-type": () => "instance-store",
  "root-device-name": ({ rootDeviceName }) => rootDeviceName,
};

function named(call: Ec2Call): readonly Instance[] {
  const ids = call.params.list("InstanceId");
  return ids.length === 0 ? [...call.region.instances.values()] : instancesOf(call, ids);
}

function instancesOf({ region }: Ec2Call, ids: readonly string[]): readonly Instance[] {
  const malformed = ids.find((id) => !/^i-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id));
  if (malformed !== undefined)
    throw new AwsFault("InvalidInstanceID.Malformed", `Invalid id: "${malformed}"`);
  const missing = ids.filter((id) => !region.instances.has(id));
  if (missing.length === 1) {
    throw new AwsFault("InvalidInstanceID.NotFound", `The instance ID '${missing[0]}' does not exist`);
  }
  if (missing.length > 1) {
    throw new AwsFault("InvalidInstanceID.NotFound", `The instance IDs '${missing.join(", ")}' do not exist`);
  }
  return ids.flatMap((id) => region.instances.get(id) ?? []);
}

const describeStatus: Ec2Action = (call) => {
  const all = call.params.flag("IncludeAllInstances");
  const table: FilterTable<Instance> = {
    "availability-zone": ({ zone }) => zone,
    "instance-state-name": ({ state }) => state,
    "instance-state-code": ({ state }) => toState(state).code,
    "instance-status.status": statusOf,
    "system-status.status": statusOf,
  };
  const chosen = filtered(
    call.params,
    named(call).filter(({ state }) => all || state === "running"),
    table,
  );
  const page = toPage(call.params, chosen);
  return {
    instanceStatusSet: toItems(
      page.things.map((instance) => ({
        instanceId: instance.id,
        availabilityZone: instance.zone,
        instanceState: toState(instance.state),
        systemStatus: toStatus(instance),
        instanceStatus: toStatus(instance),
      })),
    ),
    nextToken: page.nextToken,
  };
};

function statusOf({ state }: Instance): string {
  return state === "running" ? "ok" : "not-applicable";
}

function toStatus(instance: Instance): {
  readonly status: string;
  readonly details: ReturnType<typeof toItems>;
} {
  const status = statusOf(instance);
  const reachability = { name: "reachability", status: "passed" };
  return { status, details: toItems(status === "ok" ? [reachability] : []) };
}

const consoleOutput: Ec2Action = (call) => {
  const [instance] = instancesOf(call, [call.params.required("InstanceId")]);
  const text = instance ? call.world.fleet.consoleOf(instance) : "";
  return {
    instanceId: instance?.id,
    timestamp: new Date().toISOString(),
    output: text === "" ? undefined : Buffer.from(text).toString("base64"),
  };
};

const terminateInstances: Ec2Action = (call) => {
  const ids = call.params.list("InstanceId");
  if (ids.length === 0)
    throw new AwsFault("MissingParameter", "The request must contain the parameter InstanceId");
  const instances = instancesOf(call, ids);
  proceed(call);
  return {
    instancesSet: toItems(
      instances.map((instance) => {
        const current = call.world.fleet.terminate(call.region, instance.id);
        return {
          instanceId: instance.id,
          currentState: toState(current),
          previousState: toState(instance.state),
        };
      }),
    ),
  };
};

export const instanceActions: Readonly<Record<string, Ec2Action>> = {
  DescribeInstances: describeInstances,
  DescribeInstanceStatus: describeStatus,
  GetConsoleOutput: consoleOutput,
  TerminateInstances: terminateInstances,
};
