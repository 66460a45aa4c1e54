import { mkdir, rm } from "node:fs/promises";
import type { Account } from "../aws/cloud.ts";
import type { GroupRequest, LaunchRequest, RegisterRequest, Tags } from "../aws/provider.ts";
import type { AnyResource, Resource } from "../journal/resource.ts";
import { makeKeyPair } from "../machine/key-pair.ts";

type Held = { readonly account: Account; readonly id: string };

/**
 * A creating call is not cut short by Ctrl-C: whether it came through would then be known to nobody. It has its own
 * deadline, and what it made is given back right after.
 */
function toTheEnd(): AbortSignal {
  return AbortSignal.timeout(120_000);
}

/** The flags that every `aws` command needs to reach the account. */
function flags({ region, profile }: Account): string {
  return `--region ${region}${profile === undefined ? "" : ` --profile ${profile}`}`;
}

/** A private key file, mode 0600, and its public line. */
export const keyFile: Resource<string, { readonly path: string; readonly publicKey: string }> = {
  kind: "local.key-file",
  acquire: async (path) => ({ path, publicKey: await makeKeyPair(path, "imgspec") }),
  release: ({ path }) => rm(path, { force: true }),
  describe: ({ path }) => `private key ${path}`,
  byHand: ({ path }) => `rm ${path}`,
};

/** A directory with the parts of a bundle on their way to S3. */
export const spool: Resource<string, { readonly path: string }> = {
  kind: "local.spool",
  acquire: async (path) => {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return { path };
  },
  release: ({ path }) => rm(path, { recursive: true, force: true }),
  describe: ({ path }) => `spooled parts in ${path}`,
  byHand: ({ path }) => `rm -r ${path}`,
};

export const keyPair: Resource<
  { readonly account: Account; readonly name: string; readonly publicKey: string; readonly tags: Tags },
  Held & { readonly name: string }
> = {
  kind: "ec2.key-pair",
  acquire: async ({ account, name, publicKey, tags }, { cloud }) => {
    const { id } = await cloud.account(account).importKeyPair({ name, publicKey, tags }, toTheEnd());
    return { account, id, name };
  },
  release: ({ account, id }, { cloud, signal }) => cloud.account(account).deleteKeyPair(id, signal),
  describe: ({ account, name }) => `key pair ${name} in ${account.region}`,
  byHand: ({ account, id }) => `aws ec2 delete-key-pair --key-pair-id ${id} ${flags(account)}`,
};

export const securityGroup: Resource<{ readonly account: Account; readonly request: GroupRequest }, Held> = {
  kind: "ec2.security-group",
  acquire: async ({ account, request }, { cloud }) => ({
    account,
    id: (await cloud.account(account).createSecurityGroup(request, toTheEnd())).id,
  }),
  release: ({ account, id }, { cloud, signal }) => cloud.account(account).deleteSecurityGroup(id, signal),
  describe: ({ account, id }) => `security group ${id} in ${account.region}`,
  byHand: ({ account, id }) => `aws ec2 delete-security-group --group-id ${id} ${flags(account)}`,
};

export const instance: Resource<{ readonly account: Account; readonly request: LaunchRequest }, Held> = {
  kind: "ec2.instance",
  acquire: async ({ account, request }, { cloud }) => ({
    account,
    id: (await cloud.account(account).launchInstance(request, toTheEnd())).id,
  }),
  release: ({ account, id }, { cloud, signal }) => cloud.account(account).terminateInstance(id, signal),
  describe: ({ account, id }) => `instance ${id} in ${account.region}`,
  byHand: ({ account, id }) => `aws ec2 terminate-instances --instance-ids ${id} ${flags(account)}`,
};

type StoredBundle = {
  readonly account: Account;
  readonly bucket: string;
  readonly keys: readonly string[];
};

/** The objects of one bundle: recorded before the first byte goes up, so that no part is ever forgotten. */
export const bundleObjects: Resource<StoredBundle, StoredBundle> = {
  kind: "s3.bundle",
  acquire: (input) => Promise.resolve(input),
  release: async ({ account, bucket, keys }, { cloud, signal }) => {
    const provider = cloud.account(account);
    for (const key of keys) await provider.deleteObject({ bucket, key }, signal);
  },
  describe: ({ bucket, keys }) => `${keys.length} objects of the bundle ${bucket}/${keys.at(-1) ?? ""}`,
  byHand: ({ account, bucket, keys }) => {
    const directory = (keys.at(-1) ?? "").replace(/[^/]*$/, "");
    return `aws s3 rm --recursive s3://${bucket}/${directory} ${flags(account)}`;
  },
};

export const image: Resource<{ readonly account: Account; readonly request: RegisterRequest }, Held> = {
  kind: "ec2.image",
  acquire: async ({ account, request }, { cloud }) => ({
    account,
    id: (await cloud.account(account).registerImage(request, toTheEnd())).id,
  }),
  release: ({ account, id }, { cloud, signal }) => cloud.account(account).deregisterImage(id, signal),
  describe: ({ account, id }) => `image ${id} in ${account.region}`,
  byHand: ({ account, id }) => `aws ec2 deregister-image --image-id ${id} ${flags(account)}`,
};

/** Every kind that a journal may name, for the code that cleans up after a dead process. */
export const resources: ReadonlyMap<string, AnyResource> = new Map(
  [keyFile, spool, keyPair, securityGroup, instance, bundleObjects, image].map((resource) => [
    resource.kind,
    resource as AnyResource,
  ]),
);
