import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { callerAddress } from "../aws/caller-address.ts";
import type { Account } from "../aws/cloud.ts";
import type { Instance, LaunchRequest, Tags } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import { lastConsoleLines } from "./console.ts";
import { loginKey } from "./login-key.ts";
import type { CheckedImage } from "./preflight.ts";
import { instance, securityGroup } from "./resources.ts";
import type { Stage, StageContext } from "./stage.ts";
import { type Reach, trust } from "./trust.ts";
import { checkNeeds, type ImageNeeds } from "./volume-copy.ts";
import { toWay, type Way } from "./way.ts";

export type LaunchInput = {
  readonly account: Account;
  readonly checked: CheckedImage;
  readonly name: string;
  /** An existing key pair of EC2's; without it a temporary one, unless `connect` has a key of its own. */
  readonly keyPair?: string | null;
  readonly subnet: string | null;
  readonly securityGroups: readonly string[];
  /** CIDR ranges that the temporary group lets in; absent or empty: the caller's address. */
  readonly allowFrom?: readonly string[];
  readonly iamInstanceProfile: string | null;
  readonly userData: string | null;
  /** Null: the AMI's or the account's own setting. */
  readonly metadataTokens: "required" | "optional" | null;
  readonly tags: Tags;
  readonly timeoutSeconds: number;
  readonly connect: ConnectInput;
  /** The key that the source image may know is not in this one. */
  readonly isForgotten?: boolean;
  /** What an image of its root takes, asked after the first login; null: it is not to become one. */
  readonly needs: ImageNeeds | null;
};

/** Without the way: by the shortest, with a key pair of the run's own. */
type ConnectInput = Partial<Way> & {
  readonly user: string;
  readonly port: number;
  readonly address: "public" | "private";
  /** `auto`, `console`, `first-use`, or the key itself as a public key line. */
  readonly hostKey: string;
  readonly timeoutSeconds: number;
};

/** A running instance, and all that is needed to log in to it again. */
export type LaunchedInstance = {
  readonly account: Account;
  readonly instanceId: string;
  readonly instanceType: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** In the run's directory or the user's own, mode 0600; the key itself crosses no edge. Empty: there is none to read. */
  readonly privateKeyPath: string;
  /** Empty when only the agent knows which it is, or when a password lets us in. */
  readonly publicKey: string;
  /** The pinned host key, as an OpenSSH public key line. */
  readonly hostKey: string;
  readonly connectTimeoutSeconds: number;
  /** Without it, the shortest. */
  readonly way?: Way;
};

export const launch: Stage<LaunchInput, LaunchedInstance> = {
  kind: "launch.ec2",
  title: "Launch an instance",
  exitCode: 4,
  summarize: ({ instanceId, instanceType, host }) => `${instanceId} (${instanceType}) at ${host}`,
  run: async (input, context) => {
    const reach = await start(input, context);
    const launched = { ...reach, hostKey: await trust(reach, input.connect.hostKey, context) };
    if (input.needs !== null) await checkNeeds(launched, input.needs, input.checked.virtualization, context);
    return launched;
  },
};

/** Launches an instance and waits for its address; `onInstance` hears which it is as soon as there is one. */
export async function start(
  input: LaunchInput,
  context: StageContext,
  onInstance: (id: string) => void = () => undefined,
): Promise<Reach> {
  const { account, checked, connect } = input;
  const tags = { Name: `imgspec ${input.name}`, ...input.tags, "imgspec:run": context.run.id };
  const label = `imgspec-${context.run.id}-${context.task.replaceAll("/", "-")}`;

  const way = toWay(connect);
  const key = await loginKey({ ...input, way, label, tags }, context);
  const groups =
    input.securityGroups.length > 0 ? input.securityGroups : [await openDoor(input, label, tags, context)];

  const { id, instanceType } = await climb(
    checked.instanceTypes,
    context,
    (type) => ({
      image: checked.source.id,
      instanceType: type,
      keyName: key.pair,
      securityGroups: groups,
      subnet: input.subnet,
      iamInstanceProfile: input.iamInstanceProfile,
      userData: input.userData,
      ...(input.metadataTokens === null ? {} : { metadataTokens: input.metadataTokens }),
      clientToken: tokenOf(context.run.id, context.task, type),
      tags,
    }),
    account,
  );

  onInstance(id);
  const host = await waitForAddress(account, id, input, context);
  return {
    account,
    instanceId: id,
    instanceType,
    host,
    port: connect.port,
    user: connect.user,
    privateKeyPath: key.path,
    publicKey: key.publicKey,
    connectTimeoutSeconds: connect.timeoutSeconds,
    way,
  };
}

/** A group that lets in only to SSH, and only the caller or whom the spec names. */
async function openDoor(
  input: LaunchInput,
  name: string,
  tags: Tags,
  context: StageContext,
): Promise<string> {
  const { allowFrom = [] } = input;
  const cidrs = allowFrom.length > 0 ? allowFrom : [await ownRange(context)];
  const { id } = await context.scope.acquire(securityGroup, {
    account: input.account,
    request: {
      name,
      description: `SSH from ${cidrs.length === 1 ? cidrs[0] : "several ranges"} for an image build`,
      subnet: input.subnet,
      port: input.connect.port,
      cidrs,
      tags,
    },
  });
  context.log(`security group ${id} lets ${cidrs.join(", ")} in to port ${input.connect.port}`);
  return id;
}

async function ownRange({ cloud, signal }: StageContext): Promise<string> {
  const address = await callerAddress(cloud.options, signal);
  return address.includes(":") ? `${address}/128` : `${address}/32`;
}

/** Tries one instance type after the other until EC2 has room. Anything but missing capacity ends the climb. */
async function climb(
  types: readonly string[],
  context: StageContext,
  toRequest: (type: string) => LaunchRequest,
  account: Account,
): Promise<{ id: string; instanceType: string }> {
  let last: unknown;
  for (const type of types) {
    try {
      const { id } = await context.scope.acquire(instance, { account, request: toRequest(type) });
      context.log(`${id} (${type})`);
      return { id, instanceType: type };
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== "capacity-missing") throw error;
      context.log(`no room for ${type}: ${error.message}`);
      last = error;
    }
  }
  throw new Problem("capacity-missing", `EC2 has no room for ${types.join(", ")} in ${account.region}`, {
    hint: "add other types to launch.instanceTypes, or name another launch.subnet",
    cause: last,
  });
}

/** The same request gives the same instance, however often it is sent. At most 64 characters (RunInstances). */
function tokenOf(...words: readonly string[]): string {
  return createHash("sha256").update(words.join("\0")).digest("hex");
}

async function waitForAddress(
  account: Account,
  id: string,
  input: LaunchInput,
  { cloud, signal, log }: StageContext,
): Promise<string> {
  const deadline = Date.now() + input.timeoutSeconds * 1000;
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 1.5, 10_000)) {
    const found = await cloud.account(account).describeInstance(id, signal);
    const address = input.connect.address === "public" ? found.publicAddress : found.privateAddress;
    if (found.state === "running") {
      if (address) {
        log(`running in ${found.zone}, address ${address}`);
        return address;
      }
      throw new Problem("connect-failed", `instance ${id} has no ${input.connect.address} address`, {
        hint: "name a launch.subnet that gives public addresses, or set connect.address: private",
      });
    }
    if (found.state !== "pending") {
      for (const line of await lastWords(account, id, { cloud, signal })) log(line);
      throw died(found);
    }
    if (Date.now() > deadline) {
      throw new Problem("timeout", `instance ${id} is still pending after ${input.timeoutSeconds} s`, {
        hint: "raise launch.timeout, or choose another launch.instanceTypes",
      });
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

/** The end of the console output; where it cannot be read, the reason that EC2 gives must do. */
async function lastWords(
  account: Account,
  id: string,
  { cloud, signal }: Pick<StageContext, "cloud" | "signal">,
): Promise<readonly string[]> {
  const text = await cloud
    .account(account)
    .consoleOutput(id, signal)
    .catch(() => "");
  signal.throwIfAborted();
  return lastConsoleLines(text);
}

function died({ id, state, stateReason }: Instance): Problem {
  return new Problem(
    "aws-fault",
    `instance ${id} is ${state} instead of running: ${stateReason ?? "no reason given"}`,
    {
      hint: "the AMI may not boot on this instance type; the end of its console output is above",
    },
  );
}
