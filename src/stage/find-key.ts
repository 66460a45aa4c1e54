import { join } from "node:path";
import type { Tags } from "../aws/provider.ts";
import { publicKeyOf } from "../machine/log-in.ts";
import type { LaunchInput } from "./launch.ts";
import { keyFile, keyPair } from "./resources.ts";
import type { StageContext } from "./stage.ts";
import type { Way } from "./way.ts";

/** Empty paths stand for a key that only the agent has. */
type Key = { readonly path: string; readonly publicKey: string; readonly pair: string | null };

/** The user's own key, the agent's, or one that lives as long as the run. */
export async function findKey(
  input: LaunchInput,
  way: Way,
  label: string,
  tags: Tags,
  context: StageContext,
): Promise<Key> {
  const pair = input.keyPair ?? null;
  if (way.agent) return { path: "", publicKey: "", pair };
  if (way.privateKey !== null) {
    return { path: way.privateKey, publicKey: await publicKeyOf(way.privateKey), pair };
  }
  const { account } = input;
  const key = await context.scope.acquire(keyFile, join(context.run.directory, `${label}.key`));
  const { name } = await context.scope.acquire(keyPair, {
    account,
    name: label,
    publicKey: key.publicKey,
    tags,
  });
  return { ...key, pair: name };
}
