import { join } from "node:path";
import type { Command } from "commander";
import type { BundleSink } from "../bundle/bundle-sink.ts";
import { Problem } from "../problem.ts";
import type { CertificateVariant } from "../util/region.ts";
import { addPlaceOptions, type PlaceOptions } from "./options.ts";
import {
  addTransferOptions,
  addWriteOptions,
  openCloud,
  type TransferOptions,
  type WriteOptions,
} from "./store-options.ts";

/** Where a bundle that is made goes: into a directory, or straight into S3. */
export type TargetOptions = TransferOptions &
  WriteOptions &
  PlaceOptions & {
    readonly destination: string;
    readonly to?: string;
    readonly region?: string;
    readonly profile?: string;
  };

export function addTargetOptions(command: Command): Command {
  command
    .option("-d, --destination <directory>", "where the bundle goes", ".")
    .option("--to <s3://bucket[/prefix]>", "where it goes in S3, part by part, with no copy on this machine")
    .option("--profile <name>", "of the AWS configuration, for --to");
  return addPlaceOptions(addTransferOptions(addWriteOptions(command)));
}

/** A place for a bundle, and what is known of it before the bundle is made. */
export type Target = {
  /** Of the EC2 that shall open the bundle, as far as it is known. */
  readonly region: string | undefined;
  readonly standIns: Readonly<Record<CertificateVariant, string>> | undefined;
  open(name: string): Promise<BundleSink>;
  /** The path or URL of a file of the bundle. */
  pathOf(fileName: string): string;
};

/** Finds where the bundle goes; a bucket must be in the region that was named, or says itself which it is. */
export async function findTarget(options: TargetOptions, signal: AbortSignal): Promise<Target> {
  const { to, destination, region } = options;
  if (to !== undefined) return findBucket(to, options, signal);
  return {
    region,
    standIns: undefined,
    open: async (name) => {
      const { directorySink } = await import("../bundle/directory-sink.ts");
      return directorySink(destination, name);
    },
    pathOf: (fileName) => join(destination, fileName),
  };
}

async function findBucket(to: string, options: TargetOptions, signal: AbortSignal): Promise<Target> {
  const { acl, replace = false, createBucket = false, region, profile, concurrency } = options;
  const [{ isS3Url, toKey, toPlace, toUrl }, { bucketSink }, { toTarget }] = await Promise.all([
    import("../store/address.ts"),
    import("../store/bucket-sink.ts"),
    import("../store/target.ts"),
  ]);
  if (!isS3Url(to)) {
    throw new Problem("usage-wrong", `"${to}" is no URL of S3`, {
      hint: "write it as s3://BUCKET/PREFIX; a directory is named with --destination",
    });
  }
  const place = toPlace(to);
  const cloud = await openCloud(options);
  const found = await toTarget(cloud, place.bucket, { region, profile, acl, createBucket }, signal);
  const { provider } = found;
  return {
    region: found.bucket.region,
    standIns: cloud.options.ec2Certificates,
    open: (name) => bucketSink({ provider, place, name, acl, replace, concurrency, signal }),
    pathOf: (fileName) => toUrl(place, toKey(place, fileName)),
  };
}
