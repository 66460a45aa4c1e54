import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeImage } from "../bundle/write-image.ts";
import type { BlockStore } from "./ebs/block-store.ts";
import { openBundle } from "./ec2/bundle-access.ts";
import { imageModeOf } from "./ec2/image-mode.ts";
import { defaultVpcOf, type Subnet } from "./ec2/network.ts";
import type { Image, Instance, InstanceState } from "./ec2/records.ts";
import type { Ec2State, RegionState } from "./ec2/state.ts";
import type { Identity } from "./identity.ts";
import { toFacts } from "./instance-facts.ts";
import type { Guest, InstanceHost, Outlet, Root } from "./instance-host.ts";
import type { S3Store } from "./s3/store.ts";

export type FleetOptions = {
  readonly host: InstanceHost;
  readonly ec2: Ec2State;
  readonly s3: S3Store;
  readonly blocks: BlockStore;
  readonly identity: Identity;
  /** Ends the unpacking of bundles. */
  readonly closing: AbortSignal;
  /** For the disk images that bundles unpack to, while a root is made of them. */
  readonly directory: string;
};

const ownerWrites = 0o200;

type Crew = { readonly abort: AbortController; readonly ended: Promise<void>; guest: Guest | undefined };

/** The instances that really run: turns records into guests of the host and keeps their states. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #crews = new Map<string, Crew>();
  readonly #roots = new Map<string, Promise<Root>>();
  readonly #stopping = new Set<Promise<void>>();
  #lastAddress = 0;
  /** What the instances that are started from now on reach besides themselves. */
  outlet: Outlet | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  /** Starts an instance in the background; its record tells how it went. */
  launch(region: RegionState, instance: Instance, publicKey: string | null): void {
    const abort = new AbortController();
    const crew: Crew = {
      abort,
      guest: undefined,
      ended: this.#start(region, instance, publicKey, abort.signal),
    };
    this.#crews.set(instance.id, crew);
  }

  async #start(
    region: RegionState,
    instance: Instance,
    publicKey: string | null,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const image = region.images.get(instance.imageId);
      if (!image) throw new Error(`image ${instance.imageId} is gone`);
      const root = await this.#rootOf(region, image);
      signal.throwIfAborted();
      const guest = await this.#options.host.start({
        instanceId: instance.id,
        root,
        authorizedKeys: publicKey === null ? [] : [publicKey],
        hostname: `ip-${instance.privateAddress.replaceAll(".", "-")}`,
        userData: instance.userData,
        facts: toFacts(region, image, instance, this.#options.identity.accountId),
        ...(this.outlet === undefined ? {} : { outlet: this.outlet }),
        signal,
      });
      const crew = this.#crews.get(instance.id);
      if (crew) crew.guest = guest;
      if (signal.aborted) return;
      this.#note(region, instance.id, { state: "running", stateReason: null });
    } catch (error) {
      if (signal.aborted) return;
      const console = `launch failed: ${error instanceof Error ? error.message : String(error)}\n`;
      const stateReason = {
        code: "Server.InternalError",
        message: "Server.InternalError: Internal error on launch",
      };
      this.#note(region, instance.id, { state: "terminated", stateReason, publicAddress: null, console });
    }
    // Nobody waits here; the next call will tell that the state cannot be written.
    await this.#options.ec2.save().catch(() => undefined);
  }

  /** Parts are read again at the first launch of an image, as EC2 does: they must still be there. */
  #rootOf(region: RegionState, image: Image): Promise<Root> {
    const { volume, isBundled } = image;
    if (!isBundled && !volume) return this.#options.host.baseRoot();
    const known = this.#roots.get(image.id);
    if (known) return known;
    const made = volume ? this.#copyVolume(image.id, volume.snapshotId) : this.#unpackRoot(region, image);
    this.#roots.set(image.id, made);
    made.catch(() => this.#roots.delete(image.id));
    return made;
  }

  /** A volume begins as what is in its snapshot. */
  async #copyVolume(imageId: string, snapshotId: string): Promise<Root> {
    const { blocks, host, directory } = this.#options;
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${imageId}.img`);
    try {
      await blocks.copy(snapshotId, path);
      return await host.rootFromImage(path, `${imageId}-${snapshotId}`);
    } finally {
      await rm(path, { force: true });
    }
  }

  async #unpackRoot(region: RegionState, image: Image): Promise<Root> {
    const { s3, identity, host, directory } = this.#options;
    const bundle = await openBundle({
      s3,
      ec2Keys: identity.ec2Keys,
      region: region.name,
      location: image.location,
    });
    // As in EC2, which gives no reason (bundle-format notes, section 2).
    if (((await imageModeOf(bundle)) & ownerWrites) === 0)
      throw new Error("the image's file in the bundle is read-only");
    await mkdir(directory, { recursive: true });
    const path = join(directory, `${image.id}.img`);
    try {
      const signal = this.#options.closing;
      await writeImage(bundle.manifest, bundle.key, bundle.openPart, path, { signal });
      return await host.rootFromImage(path, `${image.id}-${bundle.manifest.image.digest}`);
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Begins to end an instance; says what state it is in then. */
  terminate(region: RegionState, id: string): InstanceState {
    const instance = region.instances.get(id);
    if (!instance || instance.state === "terminated") return "terminated";
    if (instance.state === "shutting-down") return "shutting-down";
    const stateReason = {
      code: "Client.UserInitiatedShutdown",
      message: "Client.UserInitiatedShutdown: User initiated shutdown",
    };
    this.#note(region, id, { state: "shutting-down", stateReason, console: this.consoleOf(instance) });
    const stopping = this.#stop(region, id).finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
    return "shutting-down";
  }

  async #stop(region: RegionState, id: string): Promise<void> {
    const crew = this.#crews.get(id);
    crew?.abort.abort(new Error("the instance is terminated"));
    await crew?.ended;
    await crew?.guest?.stop();
    this.#crews.delete(id);
    this.#note(region, id, { state: "terminated", publicAddress: null });
    await this.#options.ec2.save();
  }

  #note(region: RegionState, id: string, change: Partial<Instance>): void {
    const instance = region.instances.get(id);
    if (instance) region.instances.set(id, { ...instance, ...change });
  }

  consoleOf(instance: Instance): string {
    return this.#crews.get(instance.id)?.guest?.consoleOutput() ?? instance.console;
  }

  /** The running instance that has this public address, and its guest. */
  at(
    address: string,
  ): { readonly region: RegionState; readonly instance: Instance; readonly guest: Guest } | undefined {
    for (const region of this.#options.ec2.regions()) {
      for (const instance of region.instances.values()) {
        const guest = this.#crews.get(instance.id)?.guest;
        if (guest && instance.publicAddress === address && instance.state === "running")
          return { region, instance, guest };
      }
    }
    return undefined;
  }

  /** Addresses that no living instance has: public ones of 203.0.113.0/24, which no network uses (RFC 5737). */
  addresses(
    region: string,
    subnet: Subnet,
  ): { readonly vpcId: string; readonly privateAddress: string; readonly publicAddress: string | null } {
    const living = this.#options.ec2.regions().flatMap((one) => [...one.instances.values()]);
    const taken = new Set(
      living.filter(({ state }) => state !== "terminated").map(({ publicAddress }) => publicAddress),
    );
    this.#lastAddress += 1;
    const last = this.#lastAddress;
    const candidates = Array.from(
      { length: 254 },
      (_, index) => `203.0.113.${((last + index - 1) % 254) + 1}`,
    );
    return {
      vpcId: defaultVpcOf(region).id,
      privateAddress: `10.0.${subnet.third + (Math.floor(last / 250) % 16)}.${(last % 250) + 4}`,
      publicAddress: candidates.find((candidate) => !taken.has(candidate)) ?? null,
    };
  }

  /** Ends everything that runs. */
  async close(): Promise<void> {
    for (const region of this.#options.ec2.regions()) {
      for (const id of region.instances.keys()) this.terminate(region, id);
    }
    await Promise.allSettled(this.#stopping);
    await this.#options.host.close();
  }
}
