import type { LaunchedInstance } from "../../src/stage/launch.ts";
import type { Sshd } from "./sshd.ts";
import { account } from "./stage-inputs.ts";

/** An sshd as the instance that stages work on. */
export function toInstance({ address, hostKey }: Sshd): LaunchedInstance {
  return {
    account,
    instanceId: "i-0123456789abcdef0",
    instanceType: "m3.medium",
    host: address.host,
    port: address.port,
    user: address.user,
    privateKeyPath: address.privateKeyPath ?? "",
    publicKey: "",
    hostKey,
    connectTimeoutSeconds: 20,
  };
}
