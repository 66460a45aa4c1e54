import {
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  type Instance as Ec2Instance,
  GetConsoleOutputCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { Problem } from "../problem.ts";
import { call, creating, type Link } from "./client.ts";
import { faultOf, isPassing } from "./fault-problem.ts";
import { type Fresh, isNotFound } from "./fresh.ts";
import { beats } from "./patience.ts";
import type { Instance, InstanceType, LaunchRequest, Provider } from "./provider.ts";
import { toTagList } from "./tags.ts";

type Compute = Pick<
  Provider,
  | "instanceTypes"
  | "launchInstance"
  | "canLaunchInstance"
  | "describeInstance"
  | "consoleOutput"
  | "terminateInstance"
>;

/** Instances, over EC2's API. */
export function toCompute(link: Link, fresh: Fresh): Compute {
  const run = (request: LaunchRequest, DryRun: boolean, signal: AbortSignal) =>
    fresh.settled([request.keyName ?? [], request.securityGroups].flat(), signal, () =>
      call(link, new RunInstancesCommand({ ...toRunInstances(request), DryRun }), {
        signal: creating(signal),
        resource: request.image,
      }),
    );

  const describe = async (id: string, signal: AbortSignal) => {
    const { Reservations = [] } = await call(link, new DescribeInstancesCommand({ InstanceIds: [id] }), {
      signal,
      resource: id,
    });
    return Reservations.flatMap(({ Instances = [] }) => Instances).at(0);
  };

  return {
    instanceTypes: async (names, signal) => {
      const found: InstanceType[] = [];
      let next: string | undefined;
      do {
        const command = new DescribeInstanceTypesCommand({
          // As a filter, an unknown name finds nothing; as `InstanceTypes` it would fail the whole request.
          Filters: [{ Name: "instance-type", Values: [...names] }],
          ...(next === undefined ? {} : { NextToken: next }),
        });
        const page = await call(link, command, { signal });
        for (const type of page.InstanceTypes ?? []) {
          found.push({
            name: type.InstanceType ?? "",
            rootDeviceTypes: type.SupportedRootDeviceTypes ?? [],
            architectures: type.ProcessorInfo?.SupportedArchitectures ?? [],
            virtualizations: type.SupportedVirtualizationTypes ?? [],
          });
        }
        next = page.NextToken;
      } while (next);
      return found;
    },

    launchInstance: async (request, signal) => {
      const { Instances = [] } = await run(request, false, signal);
      const id = Instances[0]?.InstanceId;
      if (id === undefined) throw new Problem("aws-fault", "EC2 answered RunInstances without an instance");
      fresh.add(id);
      return { id };
    },

    canLaunchInstance: async (request, signal) => {
      try {
        await run(request, true, signal);
      } catch (error) {
        if (faultOf(error)?.code !== "DryRunOperation") throw error;
      }
    },

    describeInstance: async (id, signal) => {
      const found = await fresh.settled([id], signal, () => describe(id, signal));
      if (found !== undefined) return toInstance(id, found);
      throw new Problem("aws-fault", `EC2 in ${link.account.region} no longer knows instance ${id}`);
    },

    consoleOutput: async (id, signal) => {
      const { Output = "" } = await fresh.settled([id], signal, () =>
        call(link, new GetConsoleOutputCommand({ InstanceId: id }), { signal, resource: id }),
      );
      return Buffer.from(Output, "base64").toString("utf8");
    },

    terminateInstance: async (id, signal) => {
      try {
        await fresh.settled([id], signal, () =>
          call(link, new TerminateInstancesCommand({ InstanceIds: [id] }), { signal, resource: id }),
        );
      } catch (error) {
        if (isNotFound(error)) return;
        throw error;
      }
      fresh.forget(id);
      for await (const _beat of beats(link.patience, signal)) {
        if (await isGone(describe(id, signal))) return;
      }
    },
  };
}

/** A question that got no answer is no reason to stop asking: the instance still costs money. */
async function isGone(asked: Promise<Ec2Instance | undefined>): Promise<boolean> {
  try {
    const found = await asked;
    return found === undefined || found.State?.Name === "terminated";
  } catch (error) {
    if (isNotFound(error)) return true;
    if (isPassing(error)) return false;
    throw error;
  }
}

function toRunInstances(request: LaunchRequest): RunInstancesCommandInput {
  const { subnet, iamInstanceProfile: profile, userData, metadataTokens } = request;
  return {
    ImageId: request.image,
    // The SDK lists the types of its own day; EC2 decides.
    InstanceType: request.instanceType as never,
    MinCount: 1,
    MaxCount: 1,
    ...(request.keyName === null ? {} : { KeyName: request.keyName }),
    SecurityGroupIds: [...request.securityGroups],
    ClientToken: request.clientToken,
    TagSpecifications: [{ ResourceType: "instance", Tags: toTagList(request.tags) }],
    ...(metadataTokens === undefined
      ? {}
      : { MetadataOptions: { HttpTokens: metadataTokens, HttpEndpoint: "enabled" } }),
    ...(subnet === null ? {} : { SubnetId: subnet }),
    ...(userData === null ? {} : { UserData: Buffer.from(userData).toString("base64") }),
    ...(profile === null
      ? {}
      : { IamInstanceProfile: profile.startsWith("arn:") ? { Arn: profile } : { Name: profile } }),
  };
}

function toInstance(id: string, found: Ec2Instance): Instance {
  return {
    id,
    state: found.State?.Name ?? "pending",
    stateReason: found.StateReason?.Message || found.StateTransitionReason || null,
    publicAddress: found.PublicIpAddress || null,
    privateAddress: found.PrivateIpAddress || null,
    zone: found.Placement?.AvailabilityZone ?? "",
  };
}
