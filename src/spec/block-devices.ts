import type { WrittenImage } from "./image.gen.ts";

/** Both ways to write block device mappings, as a list. */
export function blockDeviceMappingsOf({
  blockDeviceMappings: written,
}: Pick<WrittenImage["register"], "blockDeviceMappings">): {
  readonly device: string;
  readonly virtual: string;
}[] {
  if (Array.isArray(written)) return written.map(({ device, virtual }) => ({ device, virtual }));
  return Object.entries(written).map(([device, virtual]) => ({ device, virtual }));
}
