import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { InstanceHost } from "../../src/emulator/instance-host.ts";
import { startEmulator } from "../../src/emulator/start.ts";
import type { Sshd } from "./sshd.ts";

/** An emulator every instance of which is this machine, by OpenSSH's sshd: unlike a sandbox it reaches S3. */
export async function startSshdCloud({ directory: keys, address }: Sshd): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-sshd-cloud-"));
  const root = () => Promise.resolve({ id: "root", path: directory });
  const hostKey = address.hostKeys?.at(0) ?? "";
  const instances: InstanceHost = {
    check: () => Promise.resolve(),
    baseRoot: root,
    rootFromImage: root,
    start: async ({ authorizedKeys }) => {
      await appendFile(join(keys, "authorized"), authorizedKeys.map((key) => `\n${key}\n`).join(""));
      return {
        port: address.port,
        hostKey,
        consoleOutput: () => "login:\n",
        stop: () => Promise.resolve(),
      };
    },
    close: () => Promise.resolve(),
  };
  const emulator = await startEmulator({ directory, instances });
  return {
    ...emulator,
    [Symbol.asyncDispose]: async () => {
      await emulator[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
