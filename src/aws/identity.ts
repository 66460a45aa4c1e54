import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { call } from "./client.ts";
import type { CloudOptions } from "./cloud.ts";
import { type Base, toSettings } from "./connect.ts";
import type { Provider } from "./provider.ts";

/** Who is calling, over STS. Later problems of the account can then name the caller. */
export function toIdentity(base: Base, options: CloudOptions): Pick<Provider, "caller"> {
  const link = { ...base, client: new STSClient(toSettings(base, options)), service: "STS" } as const;
  return {
    caller: async (signal) => {
      const { Account = "", Arn = "" } = await call(link, new GetCallerIdentityCommand({}), { signal });
      base.identity.arn = Arn;
      return { account: Account, arn: Arn };
    },
  };
}
