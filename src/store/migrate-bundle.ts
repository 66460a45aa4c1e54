import type { Cloud } from "../aws/cloud.ts";
import type { Provider } from "../aws/provider.ts";
import { type MigrateOptions, migrateManifest } from "../bundle/migrate-manifest.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toUrl } from "./address.ts";
import type { BundleInS3 } from "./bundle-in-s3.ts";
import { copyParts } from "./copy-parts.ts";
import { type Listener, Tally } from "./progress.ts";
import { manifestType, sha1Of } from "./put-file.ts";
import { type TargetOptions, toTarget } from "./target.ts";

/** How a bundle in S3 is made fit for another region, and where it goes. */
export type MigrateBundleOptions = MigrateOptions &
  Listener & {
    /** The region is that of the EC2 whose key is given. */
    readonly target: TargetOptions & { readonly region: string };
    readonly place: Place;
    readonly replace?: boolean | undefined;
    readonly concurrency: number;
    readonly signal: AbortSignal;
  };

/** A bundle that another region can register. */
export type Migrated = {
  readonly bucket: string;
  readonly region: string;
  /** What RegisterImage is given: `bucket/key`. */
  readonly location: string;
  readonly copied: number;
  readonly alreadyThere: number;
};

/**
 * Copies a bundle to another region, of any partition, with its key wrapped for that region's EC2: the parts first,
 * each held against its SHA-1, and the new manifest last. The old bundle stays as it is.
 */
export async function migrateBundle(
  cloud: Cloud,
  bundle: BundleInS3,
  options: MigrateBundleOptions,
): Promise<Migrated> {
  const { place, target, concurrency, signal } = options;
  const key = toKey(place, bundle.fileName);
  if (place.bucket === bundle.place.bucket && key === toKey(bundle.place, bundle.fileName)) {
    throw new Problem("usage-wrong", "the bundle would take its own place", {
      hint: "the old region needs it there: name another bucket or prefix with --to",
    });
  }
  // Whatever is wrong with the manifest is told before anything is copied.
  const manifest = Buffer.from(migrateManifest(bundle.text, options), "utf8");
  const { provider, bucket } = await toTarget(cloud, place.bucket, target, signal);
  await expectAccount(provider, options.account ?? bundle.manifest.image.user, signal);
  await makeWay(provider, place, key, options);
  const tally = new Tally(options, bundle.manifest.image.bundledSizeBytes);
  await copyParts(bundle, { provider, place, acl: target.acl, concurrency, signal }, tally);
  const body = { bytes: manifest, sha1: sha1Of(manifest), contentType: manifestType, acl: target.acl };
  await provider.putObject({ bucket: place.bucket, key }, body, signal);
  return {
    bucket: place.bucket,
    region: bucket.region,
    location: `${place.bucket}/${key}`,
    copied: tally.moved,
    alreadyThere: tally.there,
  };
}

/** EC2 registers for an account only manifests that name it, and accounts are of one partition. */
async function expectAccount(provider: Provider, account: string, signal: AbortSignal): Promise<void> {
  const caller = await provider.caller(signal);
  if (caller.account === account) return;
  throw new Problem(
    "usage-wrong",
    `the manifest says that account ${account} owns the image, but the caller in ${provider.region} is ${caller.account}`,
    { hint: `for that account, say --user ${caller.account}` },
  );
}

/** Every migrated manifest is another, for RSA adds noise: so one that is there is only replaced when told. */
async function makeWay(
  provider: Provider,
  place: Place,
  key: string,
  { replace = false, signal }: MigrateBundleOptions,
): Promise<void> {
  const where = { bucket: place.bucket, key };
  if ((await provider.headObject(where, signal)) === null) return;
  if (replace) return await provider.deleteObject(where, signal);
  throw new Problem("bucket-unusable", `there is a bundle at ${toUrl(place, key)} already`, {
    hint: "an image may need it: name another prefix, or replace it with --replace",
  });
}
