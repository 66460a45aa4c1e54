import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { knownRegions, type Partition } from "../util/region.ts";
import { BlockStore } from "./ebs/block-store.ts";
import { Ec2State } from "./ec2/state.ts";
import { Fleet } from "./fleet.ts";
import { type Identity, openIdentity } from "./identity.ts";
import type { InstanceHost } from "./instance-host.ts";
import { Rules } from "./rules.ts";
import { S3Store } from "./s3/store.ts";
import type { Upload } from "./s3/uploads.ts";

/** Everything there is in the emulated cloud. */
export type World = {
  readonly identity: Identity;
  readonly regions: readonly string[];
  readonly rules: Rules;
  readonly s3: S3Store;
  readonly uploads: Map<string, Upload>;
  readonly ec2: Ec2State;
  /** The bytes of snapshots. */
  readonly blocks: BlockStore;
  readonly fleet: Fleet;
  /** The address at which instances reach the server, where that is not loopback. */
  readonly gateway: string | undefined;
  /** Connections to instances; the HTTP server knows nothing of them any more. */
  readonly tunnels: Set<Duplex>;
  /** Aborted when the emulator closes: what is under way then ends. */
  readonly closing: AbortController;
  callerArn(partition: Partition): string;
};

/** Opens the world kept in a directory; instances do not outlive the process that ran them. */
export async function openWorld(directory: string, host: InstanceHost): Promise<World> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const identity = await openIdentity(join(directory, "identity.json"));
  const s3 = await S3Store.open(join(directory, "s3"));
  const ec2 = await Ec2State.open(join(directory, "ec2.json"));
  const blocks = new BlockStore(join(directory, "ebs"));
  const closing = new AbortController();
  return {
    identity,
    regions: knownRegions,
    rules: new Rules(),
    s3,
    uploads: new Map(),
    ec2,
    blocks,
    fleet: new Fleet({
      host,
      ec2,
      blocks,
      s3,
      identity,
      closing: closing.signal,
      directory: join(directory, "images"),
    }),
    gateway: host.gateway,
    tunnels: new Set(),
    closing,
    callerArn: (partition) => `arn:${partition}:iam::${identity.accountId}:user/imgspec`,
  };
}
