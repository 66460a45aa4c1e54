import type { CloudOptions } from "./cloud.ts";

/** The region that the AWS CLI would take: of the environment, or of the profile. Null where none is set. */
export async function defaultRegion(
  profile: string | undefined,
  { endpointUrl }: CloudOptions,
): Promise<string | null> {
  // STS's client is the smallest that resolves it; nothing is sent.
  const { STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient({
    ...(profile === undefined ? {} : { profile }),
    ...(endpointUrl === undefined ? {} : { endpoint: endpointUrl }),
  });
  try {
    return await client.config.region();
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}
