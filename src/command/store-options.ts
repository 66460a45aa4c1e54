import { type Command, Option } from "commander";
import type { Cloud } from "../aws/cloud.ts";
import { addPlaceOptions, type PlaceOptions, toCloudOptions, toCount } from "./options.ts";

/** Who asks S3, and where. Keys are no options: everybody on a machine sees the arguments of its programs. */
export type StoreOptions = PlaceOptions & { readonly region?: string; readonly profile?: string };

export function addStoreOptions(
  command: Command,
  region = "where the bucket must be; looked up when absent",
): Command {
  return addPlaceOptions(
    command
      .option("--profile <name>", "of the AWS configuration; the usual chain of credentials when absent")
      .option("--region <name>", region),
  );
}

/** Who asks, and where, without what commander leaves undefined. */
export function toSeeker({ region, profile }: StoreOptions): { region?: string; profile?: string } {
  return {
    ...(region === undefined ? {} : { region }),
    ...(profile === undefined ? {} : { profile }),
  };
}

/** What every command takes that moves parts. */
export type TransferOptions = { readonly concurrency: number };

export function addTransferOptions(command: Command): Command {
  return command
    .option("--concurrency <count>", "parts on their way at once, 10 MiB of memory each", toCount, 4)
    .addOption(new Option("--retry", "for Amazon's sake: requests are always tried again").hideHelp());
}

/** What every command takes that writes a bundle. */
export type WriteOptions = {
  readonly acl: string;
  readonly createBucket?: boolean;
  readonly replace?: boolean;
};

export function addWriteOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--acl <name>", "the canned ACL of every object, by which EC2 reads it")
        .choices(["aws-exec-read", "public-read", "ec2-bundle-read"])
        .default("aws-exec-read"),
    )
    .option("--create-bucket", "make the bucket if there is none, with ACLs allowed")
    .option("--replace", "take the place of another bundle of that name, which an image may need");
}

/** The cloud that the options mean. */
export async function openCloud(options: PlaceOptions): Promise<Cloud> {
  const { toCloud } = await import("../aws/sdk-cloud.ts");
  return toCloud(await toCloudOptions(options));
}
