import { chmod, mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Problem } from "../../problem.ts";
import type { Guest, InstanceHost, Root, StartRequest } from "../instance-host.ts";
import { give, makeBaseRoot } from "./base-root.ts";
import type { CopyMethod } from "./boot-script.ts";
import { check, checkPlatform } from "./check.ts";
import { findCopyMethod } from "./copy-method.ts";
import { startGuest } from "./guest.ts";
import { type IdMap, nameOf, toIdMap } from "./id-map.ts";
import { isImageRoot, makeImageRoot } from "./image-root.ts";
import { removeFolder, sweep } from "./instance-folder.ts";

/**
 * Runs instances in Linux namespaces over private copies of root trees; keeps those under `directory`. They see
 * nothing of this machine but its devices for noise and zeros, and have no network but their own loopback, on which
 * the outlet of the request answers.
 * root and the login users all have id 0 there. For an ordinary user without newuidmap no other id exists: chown fails.
 */
export function newSandboxHost(options: { readonly directory: string }): InstanceHost {
  const guests = new Set<Guest>();
  const starting = new Set<Promise<Guest>>();
  const roots = new Map<string, Promise<Root>>();
  let place: Promise<Place> | undefined;
  const settled = (): Promise<Place> => {
    place ??= settle(options.directory);
    return place;
  };
  /** Regions ask for the same root at the same time: one makes it, all wait for it. */
  const once = (key: string, make: (at: Place) => Promise<string>): Promise<Root> => {
    const root = roots.get(key) ?? settled().then(async (at) => toRoot(at.home, await make(at)));
    roots.set(key, root);
    root.catch(() => roots.delete(key));
    return root;
  };
  const start = async (request: StartRequest): Promise<Guest> => {
    const guest = await startGuest(await settled(), request);
    guests.add(guest);
    const stop = (): Promise<void> => guest.stop().then(() => void guests.delete(guest));
    return { ...guest, stop };
  };
  return {
    check: async () => void (await settled()),
    baseRoot: () => once("base", ({ home, idMap }) => makeBaseRoot(home, idMap)),
    rootFromImage: (imagePath, key) => once(`image ${key}`, (at) => makeImageRoot({ ...at, imagePath, key })),
    start: (request) => {
      const guest = start(request);
      starting.add(guest);
      return guest.finally(() => starting.delete(guest));
    },
    close: async () => {
      await Promise.allSettled(starting);
      await Promise.all([...guests].map((guest) => guest.stop()));
      const made = await Promise.allSettled(roots.values());
      roots.clear();
      for (const root of made) {
        if (root.status === "fulfilled") await (await settled()).forget(root.value.id);
      }
    },
  };
}

function toRoot(home: string, name: string): Root {
  return { id: name, path: join(home, "roots", name) };
}

type Place = {
  readonly home: string;
  readonly idMap: IdMap;
  readonly method: CopyMethod;
  /** Removes the root of an image; the built-in one stays for the next run. */
  forget(rootId: string): Promise<void>;
};

async function settle(directory: string): Promise<Place> {
  checkPlatform();
  const idMap = await toIdMap();
  await check(idMap);
  const home = join(resolve(directory), nameOf(idMap));
  try {
    for (const path of [home, join(home, "roots"), join(home, "instances")]) {
      await mkdir(path, { recursive: true });
      await chmod(path, 0o700);
      await give(path, idMap);
    }
  } catch (cause) {
    throw new Problem("file-unreadable", `the sandbox cannot keep its files in ${directory}`, { cause });
  }
  await sweep(idMap, home);
  const method = await findCopyMethod(idMap, home);
  // Owners and modes in it are the image's: whoever removes the directory could not remove that.
  const forget = async (rootId: string): Promise<void> => {
    if (isImageRoot(rootId)) await removeFolder(idMap, home, join("roots", rootId));
  };
  return { home, idMap, method, forget };
}
