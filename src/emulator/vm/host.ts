import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Problem } from "../../problem.ts";
import type { Guest, InstanceHost, Root, StartRequest } from "../instance-host.ts";
import { isLeftBehind, ownFolder } from "../sandbox/instance-folder.ts";
import { findAccelerator } from "./accelerator.ts";
import { guestNetwork } from "./arguments.ts";
import { findVmTools } from "./check.ts";
import { firmwareOf } from "./firmware.ts";
import { startGuest, type VmPlace } from "./guest.ts";

export type VmHostOptions = {
  readonly directory: string;
  /** A raw image: the root of the source AMIs. It is never written to. */
  readonly sourceDisk: string;
};

/** Runs instances in QEMU, from disk images: boot loader, kernel and init are the AMI's own. Keeps its files under `directory`. */
export function newVmHost(options: VmHostOptions): InstanceHost {
  const guests = new Set<Guest>();
  const starting = new Set<Promise<Guest>>();
  const roots = new Map<string, string>();
  const sourceDisk = resolve(options.sourceDisk);
  let place: Promise<VmPlace> | undefined;
  const settled = (): Promise<VmPlace> => {
    place ??= settle(options.directory);
    return place;
  };
  const start = async (request: StartRequest): Promise<Guest> => {
    const guest = await startGuest(await settled(), request);
    guests.add(guest);
    return { ...guest, stop: () => guest.stop().then(() => void guests.delete(guest)) };
  };
  return {
    gateway: guestNetwork.gateway,
    check: async () => {
      await firmwareOf(sourceDisk);
      await settled();
    },
    baseRoot: () => Promise.resolve({ id: "source", path: sourceDisk }),
    rootFromImage: async (imagePath, key): Promise<Root> => {
      const { home } = await settled();
      const path = roots.get(key) ?? join(home, "roots", ownFolder(`${roots.size}.img`));
      roots.set(key, path);
      await rename(imagePath, path);
      return { id: key, path };
    },
    start: (request) => {
      const guest = start(request);
      starting.add(guest);
      return guest.finally(() => starting.delete(guest));
    },
    close: async () => {
      await Promise.allSettled(starting);
      await Promise.all([...guests].map((guest) => guest.stop()));
      for (const path of roots.values()) await rm(path, { force: true });
      roots.clear();
    },
  };
}

async function settle(directory: string): Promise<VmPlace> {
  const tools = await findVmTools();
  const home = join(resolve(directory), "vm");
  try {
    for (const name of ["roots", "instances"])
      await mkdir(join(home, name), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Problem("file-unreadable", `the emulator cannot keep its files in ${directory}`, { cause });
  }
  for (const name of ["roots", "instances"]) {
    for (const entry of await readdir(join(home, name)))
      if (isLeftBehind(entry)) await rm(join(home, name, entry), { recursive: true, force: true });
  }
  return { home, tools, accelerator: await findAccelerator(tools.qemu) };
}
