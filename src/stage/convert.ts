import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "../aws/cloud.ts";
import type { Snapshot } from "../aws/snapshots.ts";
import type { BundleKey } from "../bundle/key.ts";
import type { OpenedBundle } from "../bundle/opened-bundle.ts";
import { Problem } from "../problem.ts";
import { type WrittenImage, writeSnapshot } from "../store/write-snapshot.ts";
import type { Conversion } from "./conversion.ts";
import { expectImage, waitForImage } from "./registered-image.ts";
import { image, snapshot } from "./resources.ts";
import type { StageContext } from "./stage.ts";

export type ConvertInput = {
  readonly account: Account;
  readonly conversion: Conversion;
  readonly bundle: OpenedBundle;
  readonly key: BundleKey;
  /** As `SnapshotRequest` has it. */
  readonly encryption: string | null;
  /** Blocks on their way at once. */
  readonly concurrency: number;
};

/** An image that boots from EBS, and the snapshot that its volumes are made of. */
export type ConvertedVolume = WrittenImage & { readonly snapshotId: string; readonly imageId: string };

/** What of a stage's surroundings a conversion needs. */
export type ConvertContext = Pick<
  StageContext,
  "cloud" | "scope" | "signal" | "task" | "run" | "log" | "progress"
>;

/** How long EBS may take to complete a snapshot. */
const deadlineMs = 60 * 60 * 1000;

/**
 * The image of a bundle as one that boots from EBS, without an instance: its bytes go into a snapshot, which is registered.
 * Until it is known to be what was asked for, the scope gives all of it back.
 */
export async function convert(input: ConvertInput, context: ConvertContext): Promise<ConvertedVolume> {
  const { account, bundle } = input;
  const { cloud, scope, signal } = context;
  const { image: wanted, volumeSizeGiB } = input.conversion;
  const tags = { ...wanted.tags, "imgspec:run": context.run.id };
  const started = await scope.acquire(snapshot, {
    account,
    request: {
      description: `root of ${wanted.name}`,
      volumeSizeGiB,
      encryption: input.encryption,
      clientToken: `imgspec-${context.run.id}-${context.task}`.slice(0, 255),
      tags,
    },
  });
  context.log(`${started.id} begun in ${account.region}`);
  const { bundledSizeBytes } = bundle.manifest.image;
  const written = await writeSnapshot(cloud.account(account), started, bundle, {
    key: input.key,
    concurrency: input.concurrency,
    signal,
    onProgress: (doneBytes) => context.progress(doneBytes, bundledSizeBytes),
  });
  context.log(`${written.blocks} blocks written, waiting until ${started.id} is completed`);
  await waitForSnapshot(account, started.id, context);
  const request = { ...wanted, tags, root: { ...wanted.root, snapshot: started.id } };
  const { id } = await scope.acquire(image, { account, request });
  context.log(`${id} registered, waiting until it is available`);
  const seen = await waitForImage(account, id, "EC2 could not use the snapshot", context);
  expectImage(
    seen,
    { ...request, id, rootDeviceType: "ebs" },
    "say --virtualization, --kernel or --ramdisk as the image needs them",
  );
  await scope.keepOf([context.task]);
  return { ...written, snapshotId: started.id, imageId: id };
}

async function waitForSnapshot(account: Account, id: string, context: ConvertContext): Promise<void> {
  const provider = context.cloud.account(account);
  const deadline = Date.now() + deadlineMs;
  let told: string | null = null;
  for (let pauseMs = 300; ; pauseMs = Math.min(pauseMs * 1.5, 15_000)) {
    const found = await provider.findSnapshot(id, context.signal);
    if (found === null) {
      throw new Problem("snapshot-failed", `snapshot ${id} is gone`, {
        hint: "somebody deleted it; convert again",
      });
    }
    if (found.state === "completed") return;
    if (found.state !== "pending") throw toFailure(found);
    if (Date.now() > deadline) {
      throw new Problem("timeout", `snapshot ${id} is still pending after ${deadlineMs / 60_000} min`, {
        hint: "see health.aws.amazon.com, then convert again",
      });
    }
    if (found.progress && found.progress !== told) {
      told = found.progress;
      context.log(`${id}: ${told}`);
    }
    await sleep(pauseMs, undefined, { signal: context.signal });
  }
}

function toFailure({ id, state, stateMessage }: Snapshot): Problem {
  return new Problem(
    "snapshot-failed",
    `snapshot ${id} became ${state}${stateMessage === null ? "" : `: ${stateMessage}`}`,
    { hint: "convert again; if it is encrypted, look whether the caller may use the KMS key" },
  );
}
