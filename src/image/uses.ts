import type { Provider } from "../aws/provider.ts";

/** What would miss an image: an instance of it, or a launch template that would launch it. */
export type Use =
  | { readonly kind: "instance"; readonly id: string; readonly state: string }
  | {
      readonly kind: "launch-template";
      readonly id: string;
      readonly name: string;
      readonly version: number;
    };

/** Who uses each of these images of one region; those that nobody uses are not in it. */
export async function findUses(
  provider: Provider,
  images: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly Use[]>> {
  if (images.length === 0) return new Map();
  const [instances, templates] = await Promise.all([
    provider.instancesOf(images, signal),
    provider.launchTemplatesOf(images, signal),
  ]);
  const uses = new Map<string, Use[]>();
  const add = (image: string, use: Use): void => {
    uses.set(image, [...(uses.get(image) ?? []), use]);
  };
  for (const { image, id, state } of instances) add(image, { kind: "instance", id, state });
  for (const { image, id, name, version } of templates)
    add(image, { kind: "launch-template", id, name, version });
  return uses;
}

/** A use in words: `instance i-… (running)`, `launch template web (lt-…), version 3`. */
export function toUseWords(use: Use): string {
  return use.kind === "instance"
    ? `instance ${use.id} (${use.state})`
    : `launch template ${use.name} (${use.id}), version ${use.version}`;
}
