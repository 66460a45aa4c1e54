import { createHash } from "node:crypto";
import { mkdir, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Account } from "../aws/cloud.ts";
import type {
  GroupRequest,
  LaunchRequest,
  ObjectName,
  Provider,
  RegisterRequest,
  Tags,
} from "../aws/provider.ts";
import type { SnapshotRequest } from "../aws/snapshots.ts";
import { withFiles } from "../bundle/file-problem.ts";
import type { AnyResource, Resource } from "../journal/resource.ts";
import { makeKeyPair } from "../machine/key-pair.ts";
import { Problem } from "../problem.ts";
import { deleteByHand } from "../store/delete-by-hand.ts";

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
  acquire: async (path) => ({
    path,
    publicKey: await withFiles(`cannot write ${path}`, () => makeKeyPair(path, "imgspec")),
  }),
  release: ({ path }) => rm(path, { force: true }),
  describe: ({ path }) => `private key ${path}`,
  byHand: ({ path }) => `rm ${path}`,
};

/** A directory with the parts of a bundle on their way to S3. */
export const spool: Resource<string, { readonly path: string }> = {
  kind: "local.spool",
  isScratch: true,
  acquire: async (path) => {
    await withFiles(`cannot write ${path}`, () => mkdir(path, { recursive: true, mode: 0o700 }));
    return { path };
  },
  release: async ({ path }) => {
    await rm(path, { recursive: true, force: true });
    // The last one takes the directory of all along.
    await rmdir(dirname(path)).catch(() => undefined);
  },
  describe: ({ path }) => `spooled parts in ${path}`,
  byHand: ({ path }) => `rm -r ${path}`,
};

/** A directory of small files with secrets, mode 0700 and 0600, for programs of this machine; gone with its task. */
export const privateFiles: Resource<
  { readonly path: string; readonly files: { readonly [name: string]: string } },
  { readonly path: string }
> = {
  kind: "local.private-files",
  isScratch: true,
  acquire: async ({ path, files }) => {
    await withFiles(`cannot write ${path}`, async () => {
      await rm(path, { recursive: true, force: true });
      await mkdir(path, { mode: 0o700 });
      for (const [name, text] of Object.entries(files))
        await writeFile(join(path, name), text, { mode: 0o600, flag: "wx" });
    }).catch(async (error: unknown) => {
      await rm(path, { recursive: true, force: true });
      throw error;
    });
    return { path };
  },
  release: ({ path }) => rm(path, { recursive: true, force: true }),
  describe: ({ path }) => `private files in ${path}`,
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

/** What is put in the place of the manifest until it comes; its SHA-1 as far as it is known by then. */
type Claim = { readonly acl: string; readonly run: string; readonly manifestSha1: string | null };

/**
 * The objects of one bundle: recorded before the first part goes up, so that none is ever forgotten. The place of the
 * manifest, the last key, is claimed first: what is given back must never be the bundle of another build.
 */
export const bundleObjects: Resource<StoredBundle & Claim, StoredBundle> = {
  kind: "s3.bundle",
  acquire: async ({ account, bucket, keys, acl, run, manifestSha1 }, { cloud }) => {
    const key = keys.at(-1) ?? "";
    const text = `claimed by imgspec run ${run}\n`;
    await claim(cloud.account(account), { bucket, key }, { text, acl, manifestSha1 });
    return { account, bucket, keys };
  },
  release: ({ account, bucket, keys }, { cloud, signal }) =>
    cloud.account(account).deleteObjects(bucket, keys, signal),
  describe: ({ bucket, keys }) =>
    `${keys.length} object${keys.length === 1 ? "" : "s"} of the bundle ${bucket}/${keys.at(-1) ?? ""}`,
  byHand: ({ account, bucket, keys }) => deleteByHand(account, bucket, keys),
};

type WrittenParts = StoredBundle & { readonly instanceId: string };

/**
 * Keys at which an instance may put parts: recorded before it is given leave to. When they are given back it goes
 * first, since what it has begun to put would otherwise come after.
 */
export const bundleParts: Resource<WrittenParts, WrittenParts> = {
  kind: "s3.parts",
  acquire: (parts) => Promise.resolve(parts),
  release: async ({ account, bucket, keys, instanceId }, { cloud, signal }) => {
    await cloud.account(account).terminateInstance(instanceId, signal);
    await cloud.account(account).deleteObjects(bucket, keys, signal);
  },
  describe: ({ bucket, keys }) => `parts ${bucket}/${keys[0] ?? ""} and up to ${keys.length - 1} after it`,
  byHand: (parts) =>
    `aws ec2 terminate-instances --instance-ids ${parts.instanceId} ${flags(parts.account)} && ${deleteByHand(parts.account, parts.bucket, parts.keys)}`,
};

/** Our own claim may be there when an answer was lost, and our own manifest when the stage runs again. */
async function claim(
  provider: Provider,
  where: ObjectName,
  { text, acl, manifestSha1 }: Omit<Claim, "run"> & { readonly text: string },
): Promise<void> {
  const bytes = Buffer.from(text);
  const sha1 = createHash("sha1").update(bytes).digest("hex");
  const isOurs = async (): Promise<boolean> => {
    const there = await provider.headObject(where, toTheEnd());
    return there !== null && there.sha1 !== null && [sha1, manifestSha1].includes(there.sha1);
  };
  if (await isOurs()) return;
  try {
    await provider.putObject(
      where,
      { bytes, sha1, contentType: "text/plain", acl, ifAbsent: true },
      toTheEnd(),
    );
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "bucket-unusable" || !(await isOurs())) throw error;
  }
}

/** A snapshot that takes blocks, or is complete and belongs to no image yet. */
export const snapshot: Resource<
  { readonly account: Account; readonly request: SnapshotRequest },
  Held & { readonly blockBytes: number }
> = {
  kind: "ebs.snapshot",
  acquire: async ({ account, request }, { cloud }) => ({
    account,
    ...(await cloud.account(account).startSnapshot(request, toTheEnd())),
  }),
  release: ({ account, id }, { cloud, signal }) => cloud.account(account).deleteSnapshot(id, signal),
  describe: ({ account, id }) => `snapshot ${id} in ${account.region}`,
  byHand: ({ account, id }) => `aws ec2 delete-snapshot --snapshot-id ${id} ${flags(account)}`,
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
  [
    keyFile,
    spool,
    privateFiles,
    keyPair,
    securityGroup,
    instance,
    bundleObjects,
    bundleParts,
    snapshot,
    image,
  ].map((resource) => [resource.kind, resource as AnyResource]),
);
