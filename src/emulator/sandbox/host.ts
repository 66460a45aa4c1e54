import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Problem } from "../../problem.ts";
import type { Guest, InstanceHost, Root, StartRequest } from "../instance-host.ts";
import { give, makeBaseRoot } from "./base-root.ts";
import type { CopyMethod } from "./boot-script.ts";
import { check, checkPlatform } from "./check.ts";
import { findCopyMethod } from "./copy-method.ts";
import { startGuest } from "./guest.ts";
import { type IdMap, nameOf, toIdMap } from "./id-map.ts";
import { makeImageRoot } from "./image-root.ts";

/** Runs instances in Linux namespaces over private copies of root trees; keeps those under `directory`. */
export function newSandboxHost(options: { readonly directory: string }): InstanceHost {
  const guests = new Set<Guest>();
  let place: Promise<Place> | undefined;
  const settled = (): Promise<Place> => {
    place ??= settle(options.directory);
    return place;
  };
  const toRoot = ({ home }: Place, name: string): Root => ({
    id: name,
    directory: join(home, "roots", name),
  });
  return {
    check: async () => void (await settled()),
    baseRoot: async () => {
      const at = await settled();
      return toRoot(at, await makeBaseRoot(at.home, at.idMap));
    },
    rootFromImage: async (imagePath, key) => {
      const at = await settled();
      return toRoot(at, await makeImageRoot({ ...at, imagePath, key }));
    },
    start: async (request: StartRequest) => {
      const at = await settled();
      const guest = await startGuest(at, request, () => guests.delete(guest));
      guests.add(guest);
      return guest;
    },
    close: async () => {
      await Promise.all([...guests].map((guest) => guest.stop()));
    },
  };
}

type Place = { readonly home: string; readonly idMap: IdMap; readonly method: CopyMethod };

async function settle(directory: string): Promise<Place> {
  checkPlatform();
  const idMap = await toIdMap();
  await check(idMap);
  const home = join(directory, nameOf(idMap));
  try {
    for (const path of [home, join(home, "roots"), join(home, "instances")]) {
      await mkdir(path, { recursive: true });
      await chmod(path, 0o700);
      await give(path, idMap);
    }
  } catch (cause) {
    throw new Problem("file-unreadable", `the sandbox cannot keep its files in ${directory}`, { cause });
  }
  return { home, idMap, method: await findCopyMethod(idMap, home) };
}
