import { mkdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { newHostKey, type SshServer, startSshServer } from "../../machine/ssh-server.ts";
import type { Guest, Outlet, StartRequest } from "../instance-host.ts";
import { type Booted, boot } from "./boot.ts";
import { type CopyMethod, toInitScript } from "./boot-script.ts";
import { execute, toEntry } from "./execution.ts";
import type { IdMap } from "./id-map.ts";
import { ownFolder, removeFolder } from "./instance-folder.ts";
import { startLife } from "./life.ts";
import { openOutlet } from "./outlet.ts";
import { Pipes } from "./pipe.ts";
import { loginUsers } from "./users.ts";

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
  const identity = { hostname, authorizedKeys, hostKey: hostKey.publicKey };
  const undo: (() => Promise<unknown>)[] = [remove];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= undoAll(undo);
    return stopped;
  };
  try {
    const pipes = new Pipes();
    undo.push(() => pipes.close());
    let server: SshServer | undefined;
    const life = await startLife({
      boot: async (isFirst) => {
        // User data runs once in the life of an instance, as cloud-init has it.
        const initScript = toInitScript({ ...identity, userData: isFirst ? userData : null });
        const booted = await boot({
          ...{ idMap, home, root: rootPath, folder, method, hostname, initScript },
          signal: isFirst ? signal : new AbortController().signal,
        });
        return withOutlet(booted, idMap, outlet);
      },
      onDown: () => server?.hangUp(),
    });
    undo.push(() => life.end());
    server = await startSshServer({
      hostKey: hostKey.privateKey,
      authorizedKeys,
      // All are root in a sandbox.
      users: ["root", ...loginUsers],
      isUp: life.isUp,
      execute: (what) => execute(toEntry(life.pid(), idMap), pipes, what),
    });
    const { port, close } = server;
    undo.push(close);
    // An instance that halted itself no longer answers.
    void life.over.then(close);
    return { port, hostKey: hostKey.publicKey, consoleOutput: life.console, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What runs, with its way out; disposing it ends both. */
async function withOutlet(
  booted: Booted,
  idMap: IdMap,
  outlet: Outlet | undefined,
): Promise<Booted & AsyncDisposable> {
  const end = async (opened?: AsyncDisposable): Promise<void> => {
    await opened?.[Symbol.asyncDispose]();
    await booted.halt();
  };
  try {
    const opened = outlet === undefined ? undefined : await openOutlet(booted.pid, idMap, outlet);
    return { ...booted, [Symbol.asyncDispose]: () => end(opened) };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Backwards, since each stands on those before it. */
async function undoAll(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of undo.toReversed()) await step();
}
