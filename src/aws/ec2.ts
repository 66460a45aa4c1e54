import { EC2Client } from "@aws-sdk/client-ec2";
import { toAccess } from "./access.ts";
import type { CloudOptions } from "./cloud.ts";
import { toCompute } from "./compute.ts";
import { type Base, toSettings } from "./connect.ts";
import { toDescribedSnapshots } from "./described-snapshots.ts";
import { noRoomCodes } from "./fault-compute.ts";
import type { Fresh } from "./fresh.ts";
import { toImages } from "./images.ts";
import { toInventory } from "./inventory.ts";
import { toPublishing } from "./publishing.ts";

type Ec2 = ReturnType<typeof toImages> &
  ReturnType<typeof toPublishing> &
  ReturnType<typeof toAccess> &
  ReturnType<typeof toCompute> &
  ReturnType<typeof toInventory> &
  ReturnType<typeof toDescribedSnapshots>;

/** All of EC2 that a provider has, over one client. */
export function toEc2(base: Base, options: CloudOptions, fresh: Fresh): Ec2 {
  const client = new EC2Client(toSettings(base, options));
  takeNoRoomForAnAnswer(client);
  const link = { ...base, client, service: "EC2" } as const;
  return {
    ...toImages(link, fresh),
    ...toPublishing(link, fresh),
    ...toAccess(link, fresh),
    ...toCompute(link, fresh),
    ...toInventory(link),
    ...toDescribedSnapshots(link, fresh),
  };
}

/**
 * EC2 says "no room" with status 500, and the SDK would ask again and again. But it is an answer: another instance
 * type is a better next try than the same one.
 */
function takeNoRoomForAnAnswer({ config }: EC2Client): void {
  const inner = config.retryStrategy;
  config.retryStrategy = async () => {
    const strategy = await inner();
    if (!("refreshRetryTokenForRetry" in strategy)) return strategy;
    return {
      acquireInitialRetryToken: (scope) => strategy.acquireInitialRetryToken(scope),
      refreshRetryTokenForRetry: (token, info) =>
        info.error instanceof Error && noRoomCodes.includes(info.error.name)
          ? Promise.reject(info.error)
          : strategy.refreshRetryTokenForRetry(token, info),
      recordSuccess: (token) => strategy.recordSuccess(token),
    };
  };
}
