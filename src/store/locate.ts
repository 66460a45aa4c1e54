import type { Account, Cloud } from "../aws/cloud.ts";
import { defaultRegion } from "../aws/default-region.ts";
import { faultOf } from "../aws/fault-problem.ts";
import type { Bucket, Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";

/** Who looks, and where first. */
export type Seeker = {
  readonly profile?: string | undefined;
  /** Absent: that of the environment or of the profile, or else us-east-1. */
  readonly region?: string | undefined;
  /** Without `region`: where to ask first, wherever it then is. Absent: as the environment or the profile has it. */
  readonly startRegion?: string | undefined;
};

/** A bucket with a provider of its own region. */
export type Located = { readonly bucket: Bucket; readonly provider: Provider; readonly account: Account };

/**
 * Finds a bucket wherever it is in the partition. A region that was named is where it must be: a bundle serves the EC2
 * of its bucket's region only. Rejects with `bucket-unusable` when there is no such bucket.
 */
export async function locate(
  cloud: Cloud,
  name: string,
  seeker: Seeker,
  signal: AbortSignal,
): Promise<Located> {
  const asked = await toAccount(cloud, seeker);
  const bucket = await cloud
    .account(asked)
    .bucket(name, signal)
    .catch((cause: unknown): Bucket => {
      // Who may not ask about a bucket may still read or write in it, and S3 says it when the bucket is elsewhere.
      if (cause instanceof Problem && cause.code === "permission-denied")
        return { name, region: asked.region, ownership: null };
      throw isNoBucket(cause) ? noBucket(name, asked, cause) : cause;
    });
  if (bucket.region === asked.region) return { bucket, account: asked, provider: cloud.account(asked) };
  if (seeker.region !== undefined) {
    throw new Problem("bucket-unusable", `bucket ${name} is in ${bucket.region}, not in ${seeker.region}`, {
      hint: `say --region ${bucket.region}, or leave it out`,
    });
  }
  const account = { ...asked, region: bucket.region };
  const provider = cloud.account(account);
  return { bucket: await provider.bucket(name, signal), account, provider };
}

/** Where a new bucket goes, and who asks first. */
export async function toAccount(cloud: Cloud, { profile, region, startRegion }: Seeker): Promise<Account> {
  return {
    region: region ?? startRegion ?? (await defaultRegion(profile, cloud.options)) ?? "us-east-1",
    ...(profile === undefined ? {} : { profile }),
  };
}

/** Whether this is because there is no such bucket. */
export function isNoBucket(error: unknown): boolean {
  const cause = error instanceof Problem ? error.cause : undefined;
  // HEAD, as which this is asked, has no body and so no code.
  const codes = ["NoSuchBucket", "NotFound", "Http404"];
  return [error, cause].some((one) => codes.includes(faultOf(one)?.code ?? ""));
}

function noBucket(name: string, { region, profile }: Account, cause: unknown): Problem {
  const whose = profile === undefined ? "" : ` by profile ${profile}`;
  return new Problem("bucket-unusable", `bucket ${name} does not exist`, {
    hint: `it was looked for from ${region}${whose}: another partition has other buckets`,
    cause,
  });
}
