import type { Command } from "commander";
import type { OpenedBundle } from "../bundle/opened-bundle.ts";
import { Problem } from "../problem.ts";
import { isS3Url } from "../store/address.ts";
import { addStoreOptions, openCloud, type StoreOptions, toSeeker } from "./store-options.ts";

/** Where a bundle is: its parts when they are not beside its manifest, and who reaches it in S3. */
export type SourceOptions = StoreOptions & { readonly source?: string };

/** What a command takes whose manifest may be in S3. */
export function addSourceOptions(command: Command): Command {
  return addStoreOptions(command, "of a bundle in S3, where its bucket must be; looked up when absent");
}

/**
 * Opens the bundle whose manifest a command names, a file or `s3://bucket/prefix/NAME.manifest.xml`. The private key is
 * for manifests that are encrypted.
 */
export async function openNamed(
  manifest: string,
  options: SourceOptions & { readonly privateKey?: string | undefined },
  signal: AbortSignal,
): Promise<OpenedBundle> {
  const { source, privateKey } = options;
  if (isS3Url(manifest)) return openInS3(manifest, options, signal);
  const { openBundle } = await import("../bundle/opened-bundle.ts");
  return openBundle(manifest, {
    ...(source === undefined ? {} : { source }),
    ...(privateKey === undefined ? {} : { privateKey }),
  });
}

async function openInS3(
  url: string,
  options: SourceOptions & { readonly privateKey?: string | undefined },
  signal: AbortSignal,
): Promise<OpenedBundle> {
  if (options.source !== undefined) {
    throw new Problem("usage-wrong", "in S3 the parts are beside the manifest", {
      hint: "leave out --source",
    });
  }
  const { openBundleInS3 } = await import("../store/bundle-in-s3.ts");
  const cloud = await openCloud(options);
  return openBundleInS3(cloud, url, { ...toSeeker(options), privateKey: options.privateKey, signal });
}
