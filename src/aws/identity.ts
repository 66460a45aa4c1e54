import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { Problem } from "../problem.ts";
import { abortable } from "../util/abortable.ts";
import { call } from "./client.ts";
import type { CloudOptions } from "./cloud.ts";
import { type Base, toSettings } from "./connect.ts";
import type { Provider } from "./provider.ts";

/** Who is calling, over STS. Later problems of the account can then name the caller. */
export function toIdentity(base: Base, options: CloudOptions): Pick<Provider, "caller" | "credentials"> {
  const client = new STSClient(toSettings(base, options));
  const link = { ...base, client, service: "STS" } as const;
  return {
    caller: async (signal) => {
      const { Account = "", Arn = "" } = await call(link, new GetCallerIdentityCommand({}), { signal });
      base.identity.arn = Arn;
      return { account: Account, arn: Arn };
    },

    credentials: async (signal) => {
      // The same that sign the calls; temporary ones are fetched anew when they are about to expire.
      const keys = await abortable(client.config.credentials(), signal).catch((cause: unknown) => {
        signal.throwIfAborted();
        throw new Problem("credentials-missing", "there are no AWS credentials to hand on", { cause });
      });
      const { accessKeyId, secretAccessKey, sessionToken = null } = keys;
      return { accessKeyId, secretAccessKey, sessionToken };
    },
  };
}
