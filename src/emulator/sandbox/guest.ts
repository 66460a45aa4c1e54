import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import type { Guest, StartRequest } from "../instance-host.ts";
import { boot } from "./boot.ts";
import { type CopyMethod, toInitScript } from "./boot-script.ts";
import { execute, toEntry } from "./execution.ts";
import type { IdMap } from "./id-map.ts";
import { ownFolder, removeFolder } from "./instance-folder.ts";
import { openOutlet } from "./outlet.ts";
import { Pipes } from "./pipe.ts";
import { newHostKey, startSshServer } from "./ssh-server.ts";

type Place = { readonly home: string; readonly idMap: IdMap; readonly method: CopyMethod };

/** Boots an instance and lets its SSH server listen. */
export async function startGuest(place: Place, request: StartRequest): Promise<Guest> {
  const { home, idMap, method } = place;
  const { root, instanceId, authorizedKeys, hostname, userData, outlet, signal } = request;
  const rootPath = relative(home, root.path);
  const folder = join("instances", ownFolder(instanceId));
  const remove = (): Promise<void> => removeFolder(idMap, home, folder);
  await remove();
  await mkdir(join(home, folder));
  const hostKey = newHostKey();
  const initScript = toInitScript({ hostname, authorizedKeys, hostKey: hostKey.publicKey, userData });
  const undo: (() => Promise<unknown>)[] = [remove];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= undoAll(undo);
    return stopped;
  };
  try {
    const pipes = new Pipes();
    undo.push(() => pipes.close());
    const booted = await boot({ idMap, home, root: rootPath, folder, method, hostname, initScript, signal });
    undo.push(() => booted.halt());
    if (outlet !== undefined) {
      const opened = await openOutlet(booted.pid, idMap, outlet);
      undo.push(() => Promise.resolve(opened[Symbol.asyncDispose]()));
    }
    const server = await startSshServer({
      hostKey: hostKey.privateKey,
      authorizedKeys,
      execute: (what) => execute(toEntry(booted.pid, idMap), pipes, what),
    });
    undo.push(() => server.close());
    // An instance that halted itself no longer answers.
    void booted.ended.then(() => server.close());
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
