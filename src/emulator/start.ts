import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Problem } from "../problem.ts";
import { toCloudOptions } from "./cloud-options.ts";
import type { Emulator, EmulatorOptions } from "./emulator.ts";
import { furnish } from "./furnish.ts";
import type { InstanceHost } from "./instance-host.ts";
import { createGuestServer, createWorldServer } from "./server.ts";
import { openWorld, type World } from "./world.ts";

/** Opens the world in the directory and serves it on 127.0.0.1. */
export async function startEmulator(
  options: EmulatorOptions & { readonly instances: InstanceHost },
): Promise<Emulator> {
  const world = await openWorld(options.directory, options.instances);
  const server = createWorldServer(world);
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const forGuests = createGuestServer(world);
  world.fleet.outlet = { port, accept: (socket) => forGuests.emit("connection", socket) };
  const { rules, identity } = world;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    world.closing.abort(new Error("the emulator is closed"));
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await world.fleet.close();
    for (const tunnel of world.tunnels) tunnel.destroy();
    await world.ec2.save();
    await closed;
  };
  return {
    url,
    cloud: toCloudOptions(url, identity, world.gateway),
    accountId: identity.accountId,
    fail: (action, fault, rule) => rules.fail(action, fault, rule),
    deny: (action) => rules.deny(action),
    allow: (action) => rules.allow(action),
    furnish: (furniture) => furnish(world, furniture),
    calls: (action) => rules.calls(action),
    left: () => toLeft(world),
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}

const partitions = ["aws", "aws-cn", "aws-us-gov"] as const;

function toLeft({ ec2, s3, identity }: World): ReturnType<Emulator["left"]> {
  const regions = ec2.regions();
  return {
    instances: regions
      .flatMap(({ instances }) => [...instances.values()])
      .filter(({ state }) => state !== "terminated")
      .map(({ id }) => id),
    keyPairs: regions.flatMap(({ keyPairs }) => [...keyPairs.keys()]),
    securityGroups: regions
      .flatMap(({ groups }) => [...groups.values()])
      .filter(({ name }) => name !== "default")
      .map(({ id }) => id),
    snapshots: regions.flatMap(({ snapshots }) => [...snapshots.keys()]),
    images: regions
      .flatMap(({ images }) => [...images.values()])
      .filter(({ ownerId }) => ownerId === identity.accountId)
      .map(({ id }) => id),
    objects: partitions
      .flatMap((partition) => s3.buckets(partition))
      .flatMap((bucket) => s3.objects(bucket).map(({ key }) => `${bucket.name}/${key}`)),
  };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Problem(
      "usage-wrong",
      `cannot listen on port ${port}: ${code === "EADDRINUSE" ? "it is taken" : code}`,
      {
        hint: "name another with --port, or 0 for a free one",
        cause,
      },
    );
  }
}
