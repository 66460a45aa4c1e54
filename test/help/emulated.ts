import { emulate } from "../../src/command/emulate.ts";
import { loadSpec } from "../../src/command/load.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";

/** An emulator with real sandbox instances, furnished for the spec at this path. */
export async function newEmulated(specPath: string): Promise<Emulator> {
  const { spec } = await loadSpec(specPath, {});
  return emulate(spec);
}
