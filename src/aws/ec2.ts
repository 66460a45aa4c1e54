import { EC2Client } from "@aws-sdk/client-ec2";
import { toAccess } from "./access.ts";
import type { CloudOptions } from "./cloud.ts";
import { toCompute } from "./compute.ts";
import { type Base, toSettings } from "./connect.ts";
import { Fresh } from "./fresh.ts";
import { toImages } from "./images.ts";

type Ec2 = ReturnType<typeof toImages> & ReturnType<typeof toAccess> & ReturnType<typeof toCompute>;

/** All of EC2 that a provider has, over one client. */
export function toEc2(base: Base, options: CloudOptions): Ec2 {
  const client = new EC2Client(toSettings(base, options));
  const link = { ...base, client, service: "EC2" } as const;
  const fresh = new Fresh(base.patience);
  return { ...toImages(link, fresh), ...toAccess(link, fresh), ...toCompute(link, fresh) };
}
