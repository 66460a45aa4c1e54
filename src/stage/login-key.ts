import { join } from "node:path";
import type { Account } from "../aws/cloud.ts";
import type { Tags } from "../aws/provider.ts";
import { publicKeyOf } from "../machine/log-in.ts";
import { keyFile, keyPair } from "./resources.ts";
import type { StageContext } from "./stage.ts";
import type { Way } from "./way.ts";

export type LoginKeyRequest = {
  readonly account: Account;
  /** An existing key pair of EC2's. */
  readonly keyPair?: string | null;
  readonly way: Way;
  /** A fresh image knows no key any more: the user's own goes to EC2, as a temporary pair. */
  readonly isForgotten?: boolean;
  /** What a temporary one is called. */
  readonly label: string;
  readonly tags: Tags;
};

export type LoginKey = {
  /** Of the private key; empty: the agent has it, or a password does without. */
  readonly path: string;
  /** Empty when only the agent knows which it is. */
  readonly publicKey: string;
  /** The name of EC2's key pair that the instance gets. */
  readonly pair: string | null;
};

/** The user's own key, the agent's, or one that lives as long as the run. */
export async function loginKey(request: LoginKeyRequest, context: StageContext): Promise<LoginKey> {
  const { account, way, label, tags } = request;
  const pair = request.keyPair ?? null;
  if (way.agent || way.password !== null) return { path: "", publicKey: "", pair };
  if (way.privateKey !== null) {
    const publicKey = await publicKeyOf(way.privateKey);
    if (pair !== null || request.isForgotten !== true) return { path: way.privateKey, publicKey, pair };
    const { name } = await context.scope.acquire(keyPair, { account, name: label, publicKey, tags });
    return { path: way.privateKey, publicKey, pair: name };
  }
  const key = await context.scope.acquire(keyFile, join(context.run.directory, `${label}.key`));
  const { publicKey } = key;
  const { name } = await context.scope.acquire(keyPair, { account, name: label, publicKey, tags });
  return { ...key, pair: name };
}
