import { rm } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Guest, StartRequest } from "../instance-host.ts";
import { boot } from "./boot.ts";
import { type CopyMethod, toInitScript } from "./boot-script.ts";
import { execute, toEntry } from "./execution.ts";
import type { IdMap } from "./id-map.ts";
import { Pipes } from "./pipe.ts";
import { newHostKey, startSshServer } from "./ssh-server.ts";
import { runMapped } from "./user-namespace.ts";

type Place = { readonly home: string; readonly idMap: IdMap; readonly method: CopyMethod };

/** Boots an instance and lets its SSH server listen. */
export async function startGuest(place: Place, request: StartRequest, onStop: () => void): Promise<Guest> {
  const { home, idMap, method } = place;
  const { root, instanceId, authorizedKeys, hostname, userData, signal } = request;
  const rootPath = relative(home, root.directory);
  const folder = join("instances", instanceId);
  const remove = async (): Promise<void> => {
    // Some files belong to ids that only the map has, some folders let nobody in: root of the map may remove them all.
    await runMapped(idMap, ["rm", "-rf", "--", folder], home);
    await rm(join(home, folder), { recursive: true, force: true });
  };
  await remove();
  const hostKey = newHostKey();
  const initScript = toInitScript({ hostname, authorizedKeys, hostKey: hostKey.publicKey, userData });
  const undo: (() => Promise<unknown>)[] = [remove];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= undoAll(undo).then(onStop);
    return stopped;
  };
  try {
    const pipes = await Pipes.open(home);
    undo.push(() => pipes.close());
    const booted = await boot({ idMap, home, root: rootPath, folder, method, hostname, initScript, signal });
    undo.push(() => booted.halt());
    const server = await startSshServer({
      hostKey: hostKey.privateKey,
      authorizedKeys,
      execute: (what) => execute(toEntry(booted.pid, idMap), pipes, what),
    });
    undo.push(() => server.close());
    return { port: server.port, hostKey: hostKey.publicKey, consoleOutput: booted.console, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Backwards, since each stands on those before it. */
async function undoAll(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of undo.toReversed()) await step();
}
