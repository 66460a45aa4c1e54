import { S3Client } from "@aws-sdk/client-s3";
import { toBuckets } from "./buckets.ts";
import type { CloudOptions } from "./cloud.ts";
import { type Base, toSettings } from "./connect.ts";
import { toKeeping } from "./keeping.ts";
import { toObjects } from "./objects.ts";
import { toPresigning } from "./presigning.ts";

/** All of S3 that a provider has, over one client. */
export function toS3(
  base: Base,
  options: CloudOptions,
): ReturnType<typeof toBuckets> &
  ReturnType<typeof toObjects> &
  ReturnType<typeof toKeeping> &
  ReturnType<typeof toPresigning> {
  const client = newClient(base, options);
  const { instanceEndpointUrl } = options;
  const signing =
    instanceEndpointUrl === undefined
      ? client
      : newClient(base, { ...options, endpointUrl: instanceEndpointUrl });
  const link = { ...base, client, service: "S3" } as const;
  return {
    ...toBuckets(link),
    ...toObjects(link),
    ...toKeeping(link),
    ...toPresigning(link, client, signing),
  };
}

function newClient(base: Base, options: CloudOptions): S3Client {
  return new S3Client({
    ...toSettings(base, options),
    // A bucket's own host name resolves only at AWS.
    forcePathStyle: options.endpointUrl !== undefined,
  });
}
