import { execFile } from "node:child_process";
import { mkdir, rm, truncate, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Problem } from "../../problem.ts";
import type { Guest, StartRequest } from "../instance-host.ts";
import { ownFolder } from "../sandbox/instance-folder.ts";
import type { Accelerator } from "./accelerator.ts";
import { toArguments } from "./arguments.ts";
import type { VmTools } from "./check.ts";
import { diskKindOf } from "./disk.ts";
import { firmwareOf } from "./firmware.ts";
import { extractKernel, type Kernel } from "./kernel.ts";
import { startMachine } from "./machine.ts";
import { startMetadataService } from "./metadata-service.ts";

export type VmPlace = { readonly home: string; readonly tools: VmTools; readonly accelerator: Accelerator };

/** Sparse: what an instance does not write takes no room. */
const volumeBytes = 10 * 1024 ** 3;
/** sockaddr_un's sun_path, with its end. */
const maxSocketPath = 107;

/** Run by Node for each connection that a guest makes to the metadata service: QEMU gives it as standard input and output. */
const relayProgram = `const far = require("node:net").connect(process.argv[2]);
far.on("error", () => process.exit(1)).on("close", () => process.exit());
process.stdin.pipe(far).pipe(process.stdout);
`;

/** Boots an instance from its root's disk image. */
export async function startGuest(place: VmPlace, request: StartRequest): Promise<Guest> {
  const { tools, accelerator } = place;
  const { root, instanceId, hostname, authorizedKeys, userData, facts, signal } = request;
  const folder = join(place.home, "instances", ownFolder(instanceId));
  const socket = join(folder, "metadata");
  checkSocketPath(socket);
  await mkdir(folder, { mode: 0o700 });
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= undoAll(undo);
    return stopped;
  };
  try {
    const relay = join(folder, "relay.cjs");
    await writeFile(relay, relayProgram);
    const kernel = await kernelOf(request, folder, tools);
    const firmware = await firmwareOf(root.path);
    const volumes = await makeVolumes(request, folder, tools);
    signal.throwIfAborted();
    const service = await startMetadataService(socket, {
      instanceId,
      hostname,
      authorizedKeys,
      facts,
      userData,
    });
    undo.push(async () => service[Symbol.asyncDispose]());
    const hardware = toArguments({
      accelerator,
      processors: availableParallelism(),
      disk: root.path,
      kernel,
      firmware,
      volumes,
      relay: [process.execPath, relay, socket],
    });
    const command = [tools.setpriv, "--pdeathsig", "KILL", tools.qemu, ...hardware];
    const machine = await startMachine(command, folder, signal);
    undo.push(() => machine.halt());
    return { port: machine.port, hostKey: null, consoleOutput: () => machine.console(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** As in EC2: hvm runs the disk's own boot loader, paravirtual a kernel that pv-grub finds in the file system. */
async function kernelOf(
  { root, facts }: StartRequest,
  folder: string,
  { debugfs }: VmTools,
): Promise<Kernel | null> {
  const kind = await diskKindOf(root.path);
  if (facts.virtualization === "paravirtual" && kind === "file-system")
    return extractKernel(root.path, folder, debugfs);
  if (facts.virtualization !== "paravirtual" && kind === "disk") return null;
  throw kind === "disk"
    ? new Problem("bundle-invalid", "a paravirtual image must be a bare file system, and this is a disk", {
        hint: "register it as hvm, or bundle it with partition: none",
      })
    : new Problem(
        "bundle-invalid",
        "an hvm image must be a disk with a boot loader, and this is a bare file system",
        {
          hint: "bundle it with a partition table, or register it as paravirtual",
        },
      );
}

/** Formatted, since an AMI expects to find its first volume ready to mount. */
async function makeVolumes(
  { facts }: StartRequest,
  folder: string,
  { mke2fs }: VmTools,
): Promise<readonly string[]> {
  const names = facts.mappings.map(({ virtual }) => virtual).filter((name) => name.startsWith("ephemeral"));
  const paths = names.map((name) => join(folder, name));
  for (const path of paths) {
    await writeFile(path, "");
    await truncate(path, volumeBytes);
    await promisify(execFile)(mke2fs, ["-q", "-F", "-t", "ext4", "-E", "lazy_itable_init=1", path]);
  }
  return paths;
}

function checkSocketPath(path: string): void {
  if (Buffer.byteLength(path) <= maxSocketPath) return;
  throw new Problem(
    "vm-unavailable",
    "the directory of the emulator has too long a path for a socket in it",
    {
      hint: "choose a shorter one with --dir, or set TMPDIR to one",
    },
  );
}

/** Backwards, since each stands on those before it. */
async function undoAll(undo: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const step of undo.toReversed()) await step();
}
