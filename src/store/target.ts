import type { Cloud } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import { isNoBucket, type Located, locate, type Seeker, toAccount } from "./locate.ts";

/** Where a bundle is to go. */
export type TargetOptions = Seeker & {
  readonly acl: string;
  /** Makes the bucket when there is none: in the seeker's region, with ACLs allowed. Absent: it must be there. */
  readonly createBucket?: boolean;
};

/**
 * The bucket that a bundle goes into, made if that was asked for. Rejects with `bucket-unusable` where EC2 could not be
 * let in to it.
 */
export async function toTarget(
  cloud: Cloud,
  name: string,
  options: TargetOptions,
  signal: AbortSignal,
): Promise<Located & { readonly isNew: boolean }> {
  const found = await findOrCreate(cloud, name, options, signal);
  if (found.bucket.ownership !== "BucketOwnerEnforced") return found;
  const profile = options.profile === undefined ? "" : ` --profile ${options.profile}`;
  const controls = "'Rules=[{ObjectOwnership=BucketOwnerPreferred}]'";
  throw new Problem(
    "bucket-unusable",
    `bucket ${name} has ACLs switched off, so EC2 cannot be let in to the bundle (ACL ${options.acl})`,
    {
      hint: `aws s3api put-bucket-ownership-controls --bucket ${name} --ownership-controls ${controls} --region ${found.bucket.region}${profile}`,
    },
  );
}

async function findOrCreate(
  cloud: Cloud,
  name: string,
  options: TargetOptions,
  signal: AbortSignal,
): Promise<Located & { readonly isNew: boolean }> {
  try {
    return { ...(await locate(cloud, name, options, signal)), isNew: false };
  } catch (error) {
    if (!isNoBucket(error)) throw error;
    if (options.createBucket) return await create(cloud, name, options, signal);
    throw new Problem("bucket-unusable", `bucket ${name} does not exist`, {
      hint: "make it with --create-bucket, in the region that --region says",
      cause: error,
    });
  }
}

async function create(
  cloud: Cloud,
  name: string,
  options: TargetOptions,
  signal: AbortSignal,
): Promise<Located & { readonly isNew: boolean }> {
  const account = await toAccount(cloud, options);
  const provider = cloud.account(account);
  const isNew = await provider.createBucket(name, signal);
  return { bucket: await provider.bucket(name, signal), provider, account, isNew };
}
