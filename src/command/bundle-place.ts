import type { OpenedBundle } from "../bundle/opened-bundle.ts";

/** Where the parts of a bundle are, when they are not beside its manifest. */
export type SourceOptions = { readonly source?: string };

/** Opens the bundle whose manifest a command names. The private key is for manifests that are encrypted. */
export async function openNamed(
  manifest: string,
  { source, privateKey }: SourceOptions & { readonly privateKey?: string | undefined },
): Promise<OpenedBundle> {
  const { openBundle } = await import("../bundle/opened-bundle.ts");
  return openBundle(manifest, {
    ...(source === undefined ? {} : { source }),
    ...(privateKey === undefined ? {} : { privateKey }),
  });
}
