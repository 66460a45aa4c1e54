import { join } from "node:path";
import { startRelay } from "../machine/relay.ts";
import { toSshConfig } from "../machine/ssh-config.ts";
import type { LaunchedInstance } from "./launch.ts";
import { privateFiles } from "./resources.ts";
import type { StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

/** A way for programs of this machine to an instance. Disposing it cuts what they run, and takes away its files. */
export type OpenRelay = AsyncDisposable & {
  readonly port: number;
  /** Holds `ssh_config`, with which every name is the instance, and the other files that were asked for. */
  readonly directory: string;
};

/**
 * Opens a relay to an instance. Its files are in a directory of the run's own, which a task can have once at a time. The
 * others are made of the path of that directory and of the port.
 */
export async function openRelay(
  on: LaunchedInstance,
  toFiles: (directory: string, port: number) => { readonly [name: string]: string },
  context: StageContext,
): Promise<OpenRelay> {
  const held = hold(on, context);
  const close = async (): Promise<void> => {
    await relay?.[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
    await context.scope.releaseOf([context.task]);
  };
  let relay: Awaited<ReturnType<typeof startRelay>> | undefined;
  try {
    // What keeps us out is told here, and not by a program that knows nothing of the way.
    await held.machine();
    relay = await startRelay(held, on.user);
    const { port, hostKey, privateKey } = relay;
    const directory = join(context.run.directory, `${context.task.replaceAll("/", "-")}.relay`);
    const [key, knownHosts] = [join(directory, "key"), join(directory, "known_hosts")];
    await context.scope.acquire(privateFiles, {
      path: directory,
      files: {
        key: privateKey,
        known_hosts: `imgspec ${hostKey}\n`,
        ssh_config: toSshConfig({ port, user: on.user, key, knownHosts }),
        ...toFiles(directory, port),
      },
    });
    return { port, directory, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}
