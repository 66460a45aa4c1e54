import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteKeyPairCommand,
  DeleteSecurityGroupCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  ImportKeyPairCommand,
} from "@aws-sdk/client-ec2";
import { Problem } from "../problem.ts";
import { byHand } from "./by-hand.ts";
import { call, creating, type Link } from "./client.ts";
import { faultOf } from "./fault-problem.ts";
import { type Fresh, isNotFound } from "./fresh.ts";
import { onceUnused } from "./once-unused.ts";
import type { GroupRequest, Provider } from "./provider.ts";
import { isOurs, toTagList } from "./tags.ts";

type Access = Pick<
  Provider,
  "importKeyPair" | "deleteKeyPair" | "createSecurityGroup" | "deleteSecurityGroup"
>;

/** How much time a group that could not be finished gets to go away again. */
const rollBackMs = 30_000;

/** Key pairs and security groups: who gets in to an instance, over EC2's API. */
export function toAccess(link: Link, fresh: Fresh): Access {
  const importKeyPair: Access["importKeyPair"] = async ({ name, publicKey, tags }, signal) => {
    const command = new ImportKeyPairCommand({
      KeyName: name,
      PublicKeyMaterial: Buffer.from(publicKey),
      TagSpecifications: [{ ResourceType: "key-pair", Tags: toTagList(tags) }],
    });
    const id = await unlessOurs(
      "InvalidKeyPair.Duplicate",
      async () => (await call(link, command, { signal: creating(signal), resource: name })).KeyPairId,
      async () => {
        const { KeyPairs = [] } = await call(link, new DescribeKeyPairsCommand({ KeyNames: [name] }), {
          signal,
        });
        return KeyPairs.find(({ Tags }) => isOurs(Tags, tags))?.KeyPairId;
      },
    );
    // An instance names its key by name, and "not found" will name it so too.
    fresh.add(name);
    return { id };
  };

  const createSecurityGroup: Access["createSecurityGroup"] = async (request, signal) => {
    const { name, tags } = request;
    const vpc = request.subnet === null ? undefined : await vpcOf(link, request.subnet, signal);
    const command = new CreateSecurityGroupCommand({
      GroupName: name,
      Description: request.description,
      TagSpecifications: [{ ResourceType: "security-group", Tags: toTagList(tags) }],
      ...(vpc === undefined ? {} : { VpcId: vpc }),
    });
    const id = await unlessOurs(
      "InvalidGroup.Duplicate",
      async () => (await call(link, command, { signal: creating(signal), resource: name })).GroupId,
      async () => {
        const byName = new DescribeSecurityGroupsCommand({
          Filters: [{ Name: "group-name", Values: [name] }],
        });
        const { SecurityGroups = [] } = await call(link, byName, { signal });
        return SecurityGroups.find(({ Tags }) => isOurs(Tags, tags))?.GroupId;
      },
    );
    fresh.add(id);
    try {
      await fresh.settled([id], signal, () => open(link, id, request, signal));
    } catch (error) {
      throw await undone(error, id, link, () => deleteSecurityGroup(id, AbortSignal.timeout(rollBackMs)));
    }
    return { id };
  };

  const deleteSecurityGroup: Access["deleteSecurityGroup"] = (id, signal) =>
    onceUnused(link, ["DependencyViolation", "InvalidGroup.InUse"], signal, () =>
      call(link, new DeleteSecurityGroupCommand({ GroupId: id }), { signal, resource: id }),
    );

  return {
    importKeyPair,
    createSecurityGroup,
    deleteSecurityGroup,
    deleteKeyPair: async (id, signal) => {
      try {
        await call(link, new DeleteKeyPairCommand({ KeyPairId: id }), { signal, resource: id });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}

/**
 * Creates, or takes what is there already when it carries our tags: then an earlier try was heard and its answer
 * lost, for neither of these requests has a client token.
 */
async function unlessOurs(
  duplicate: string,
  create: () => Promise<string | undefined>,
  find: () => Promise<string | undefined>,
): Promise<string> {
  try {
    const id = await create();
    if (id !== undefined) return id;
  } catch (error) {
    const id = faultOf(error)?.code === duplicate ? await find() : undefined;
    if (id === undefined) throw error;
    return id;
  }
  throw new Problem("aws-fault", "EC2 created something and did not say what");
}

async function vpcOf(link: Link, subnet: string, signal: AbortSignal): Promise<string> {
  const command = new DescribeSubnetsCommand({ SubnetIds: [subnet] });
  const { Subnets = [] } = await call(link, command, { signal, resource: subnet });
  const vpc = Subnets[0]?.VpcId;
  if (vpc !== undefined) return vpc;
  throw new Problem("aws-fault", `there is no subnet ${subnet} in ${link.account.region}`, {
    hint: "name a subnet of this region and account in launch.subnet",
  });
}

async function open(link: Link, id: string, request: GroupRequest, signal: AbortSignal): Promise<void> {
  const { cidrs, port, description } = request;
  const v6 = cidrs.filter((cidr) => cidr.includes(":"));
  const v4 = cidrs.filter((cidr) => !cidr.includes(":"));
  const range = {
    ...(v4.length > 0 && { IpRanges: v4.map((cidr) => ({ CidrIp: cidr, Description: description })) }),
    ...(v6.length > 0 && { Ipv6Ranges: v6.map((cidr) => ({ CidrIpv6: cidr, Description: description })) }),
  };
  const command = new AuthorizeSecurityGroupIngressCommand({
    GroupId: id,
    IpPermissions: [{ IpProtocol: "tcp", FromPort: port, ToPort: port, ...range }],
  });
  try {
    await call(link, command, { signal, resource: id });
  } catch (error) {
    // An earlier try was heard, and its answer lost.
    if (faultOf(error)?.code !== "InvalidPermission.Duplicate") throw error;
  }
}

/** Takes back what was half done, and says so where that fails too. */
async function undone(
  error: unknown,
  id: string,
  { account }: Link,
  undo: () => Promise<void>,
): Promise<unknown> {
  try {
    await undo();
    return error;
  } catch (cause) {
    return new Problem("aws-fault", `security group ${id} could not be opened, nor deleted again`, {
      hint: `delete it: \`${byHand(`ec2 delete-security-group --group-id ${id}`, account)}\``,
      cause: new AggregateError([error, cause]),
    });
  }
}
