import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Emulator } from "../emulator/emulator.ts";
import type { Furniture } from "../emulator/furnish.ts";
import type { ImageSpec, Spec } from "../spec/spec.ts";

/**
 * An emulator in which a spec can be built as it stands: the buckets that it names exist, and its source AMIs are
 * found, each with the sandbox's root.
 */
export async function emulate(spec: Spec): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-emulator-"));
  const forget = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const emulator = await openEmulator(directory, 0);
    await emulator.furnish(toFurniture(spec));
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

/** Throws `sandbox-unavailable`, with what to do, before anything is started on a machine that cannot run instances. */
export async function openEmulator(directory: string, port: number): Promise<Emulator> {
  const [{ startEmulator }, { newSandboxHost }] = await Promise.all([
    import("../emulator/start.ts"),
    import("../emulator/sandbox/host.ts"),
  ]);
  const instances = newSandboxHost({ directory });
  await instances.check();
  return startEmulator({ directory, port, instances });
}

/** What a spec expects to find in its accounts. */
export function toFurniture({ images }: Spec): Furniture {
  return {
    buckets: images.map(({ upload, region }) => ({ name: upload.bucket, region: region.name })),
    images: images.map(toSourceImage),
  };
}

function toSourceImage({ region, source, register }: ImageSpec): Furniture["images"][number] {
  const wanted = source.kind === "find" ? source : null;
  return {
    region: region.name,
    id: source.kind === "image" ? source.image : null,
    name: wanted?.name ?? "*",
    owner: wanted?.owners[0] ?? "amazon",
    architecture: wanted?.architecture ?? register.architecture ?? "x86_64",
    virtualization: wanted?.virtualization ?? register.virtualization ?? "paravirtual",
  };
}
