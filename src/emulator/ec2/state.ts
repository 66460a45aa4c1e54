import { randomBytes } from "node:crypto";
import { readState, writeState } from "../state-file.ts";
import { builtInImage } from "./built-in-image.ts";
import { defaultVpcOf } from "./network.ts";
import type {
  Image,
  Instance,
  KeyPair,
  LaunchTemplate,
  SecurityGroup,
  Snapshot,
  TokenUse,
} from "./records.ts";

/** What one region holds; records are replaced, never changed. */
export type RegionState = {
  readonly name: string;
  readonly keyPairs: Map<string, KeyPair>;
  readonly groups: Map<string, SecurityGroup>;
  readonly images: Map<string, Image>;
  readonly snapshots: Map<string, Snapshot>;
  readonly instances: Map<string, Instance>;
  readonly launchTemplates: Map<string, LaunchTemplate>;
  readonly tokens: Map<string, TokenUse>;
};

type Kept = Readonly<
  Record<
    string,
    {
      readonly keyPairs: readonly KeyPair[];
      readonly groups: readonly SecurityGroup[];
      readonly images: readonly Image[];
      readonly snapshots?: readonly Snapshot[];
      readonly instances: readonly Instance[];
      /** Absent in what was written before there were any. */
      readonly launchTemplates?: readonly LaunchTemplate[];
      readonly tokens: readonly TokenUse[];
    }
  >
>;

/** EC2's records over all regions, kept in one file of JSON. */
export class Ec2State {
  readonly #path: string;
  readonly #regions = new Map<string, RegionState>();
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(path: string): Promise<Ec2State> {
    const state = new Ec2State(path);
    for (const [name, kept] of Object.entries((await readState<Kept>(path)) ?? {})) {
      state.#regions.set(name, {
        name,
        keyPairs: byId(kept.keyPairs),
        groups: byId(kept.groups),
        images: byId(kept.images),
        snapshots: byId((kept.snapshots ?? []).map(settled)),
        // Whatever ran them is gone.
        instances: byId(kept.instances.map((one) => ({ ...one, state: "terminated", publicAddress: null }))),
        launchTemplates: byId(kept.launchTemplates ?? []),
        tokens: new Map(kept.tokens.map((use) => [use.token, use])),
      });
    }
    return state;
  }

  region(name: string): RegionState {
    const known = this.#regions.get(name);
    if (known) return known;
    const vpc = defaultVpcOf(name);
    const group: SecurityGroup = {
      id: vpc.defaultGroupId,
      name: "default",
      description: "default VPC security group",
      vpcId: vpc.id,
      ingress: [],
      tags: {},
    };
    const image = builtInImage(name);
    const made: RegionState = {
      name,
      keyPairs: new Map(),
      groups: new Map([[group.id, group]]),
      images: new Map([[image.id, image]]),
      snapshots: new Map(),
      instances: new Map(),
      launchTemplates: new Map(),
      tokens: new Map(),
    };
    this.#regions.set(name, made);
    return made;
  }

  regions(): readonly RegionState[] {
    return [...this.#regions.values()];
  }

  /** Writes everything down; writes follow one another. */
  save(): Promise<void> {
    const next = this.#writing.then(() => writeState(this.#path, this.#toKept()));
    this.#writing = next.catch(() => undefined);
    return next;
  }

  #toKept(): Kept {
    const entries = this.regions().map((region) => [
      region.name,
      {
        keyPairs: [...region.keyPairs.values()],
        groups: [...region.groups.values()],
        images: [...region.images.values()],
        snapshots: [...region.snapshots.values()],
        instances: [...region.instances.values()],
        launchTemplates: [...region.launchTemplates.values()],
        tokens: [...region.tokens.values()],
      },
    ]);
    return Object.fromEntries(entries);
  }
}

/** An id as EC2 makes them since 2016: seventeen hex digits. */
export function newId(prefix: string): string {
  return `${prefix}-0${randomBytes(8).toString("hex")}`;
}

/** The blocks of a snapshot that was not completed were known to a process that is gone. */
function settled(snapshot: Snapshot): Snapshot {
  if (snapshot.sealedAt !== null || snapshot.state !== "pending") return snapshot;
  return { ...snapshot, state: "error", stateMessage: "The emulator was restarted" };
}

function byId<T extends { readonly id: string }>(things: readonly T[]): Map<string, T> {
  return new Map(things.map((thing) => [thing.id, thing]));
}
