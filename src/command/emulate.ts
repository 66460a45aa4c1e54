import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../emulator/emulator.ts";
import type { Furniture } from "../emulator/furnish.ts";
import type { InstanceHost } from "../emulator/instance-host.ts";
import type { ImageSpec, Spec } from "../spec/spec.ts";
import { type InstanceOptions, sourceDiskOf } from "./instance-options.ts";

/**
 * An emulator in which a spec can be built as it stands: the buckets that it names exist, and its source AMIs are
 * found, each with the root that its kind of instances starts from.
 */
export async function emulate(spec: Spec, options: InstanceOptions = {}): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-emulator-"));
  const forget = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const emulator = await openEmulator(directory, 0, options);
    await emulator.furnish(toFurniture(spec, await virtualizationOf(options)));
    const close = async (): Promise<void> => {
      await emulator[Symbol.asyncDispose]();
      await forget();
    };
    return { ...emulator, [Symbol.asyncDispose]: close };
  } catch (error) {
    await forget();
    throw error;
  }
}

/**
 * Throws `sandbox-unavailable` or `vm-unavailable`, with what to do, before anything is started on a machine that
 * cannot run instances.
 */
export async function openEmulator(
  directory: string,
  port: number,
  options: InstanceOptions = {},
): Promise<Emulator> {
  const [{ startEmulator }, instances] = await Promise.all([
    import("../emulator/start.ts"),
    openHost(directory, sourceDiskOf(options)),
  ]);
  await instances.check();
  return startEmulator({ directory, port, instances });
}

async function openHost(directory: string, sourceDisk: string | undefined): Promise<InstanceHost> {
  if (sourceDisk === undefined) {
    const { newSandboxHost } = await import("../emulator/sandbox/host.ts");
    return newSandboxHost({ directory });
  }
  const { newVmHost } = await import("../emulator/vm/host.ts");
  return newVmHost({ directory, sourceDisk });
}

/** How source AMIs boot where a spec does not say: as their disk is made, and sandboxes boot in no way. */
export async function virtualizationOf(options: InstanceOptions): Promise<"hvm" | "paravirtual"> {
  const disk = sourceDiskOf(options);
  if (disk === undefined) return "paravirtual";
  const { diskKindOf } = await import("../emulator/vm/disk.ts");
  return (await diskKindOf(disk)) === "disk" ? "hvm" : "paravirtual";
}

/** What a spec expects to find in its accounts. */
export function toFurniture({ images }: Spec, virtualization: string): Furniture {
  return {
    buckets: images.map(({ upload, region }) => ({ name: upload.bucket, region: region.name })),
    images: images.map((image) => toSourceImage(image, virtualization)),
  };
}

function toSourceImage(
  { region, source, register }: ImageSpec,
  virtualization: string,
): Furniture["images"][number] {
  const wanted = source.kind === "find" ? source : null;
  return {
    region: region.name,
    id: source.kind === "image" ? source.image : null,
    name: wanted?.name ?? "*",
    owner: wanted?.owners[0] ?? "amazon",
    architecture: wanted?.architecture ?? register.architecture ?? "x86_64",
    virtualization: wanted?.virtualization ?? register.virtualization ?? virtualization,
  };
}
