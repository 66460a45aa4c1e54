import { readFile } from "node:fs/promises";
import pLimit from "p-limit";
import type { Account } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import type { Bundle } from "./bundle.ts";
import { joinKey } from "./preflight.ts";
import { bundleObjects } from "./resources.ts";
import type { Stage, StageContext } from "./stage.ts";

export type UploadInput = {
  readonly bundle: Bundle;
  readonly bucket: string;
  readonly prefix: string;
  readonly acl: string;
  readonly concurrency: number;
};

export type StoredPart = { readonly key: string; readonly sizeBytes: number; readonly sha1: string };

/** A bundle in S3. */
export type UploadedBundle = {
  readonly account: Account;
  readonly bucket: string;
  readonly parts: readonly StoredPart[];
  readonly manifest: StoredPart;
  /** What RegisterImage is given: `bucket/key`. */
  readonly location: string;
};

export const upload: Stage<UploadInput, UploadedBundle> = {
  kind: "upload.s3",
  title: "Upload the bundle",
  exitCode: 6,
  summarize: ({ location }) => `s3://${location}`,
  run: async (input, context) => {
    const { bundle, bucket, prefix, acl } = input;
    const manifest = await readFile(bundle.manifestPath);
    const objects = [
      ...bundle.parts.map((part) => ({
        ...part,
        key: joinKey(prefix, part.name),
        contentType: "application/octet-stream",
      })),
      {
        key: joinKey(prefix, `${bundle.name}.manifest.xml`),
        path: bundle.manifestPath,
        sizeBytes: manifest.byteLength,
        sha1: bundle.manifestSha1,
        contentType: "application/xml",
      },
    ];
    await context.scope.acquire(bundleObjects, {
      account: bundle.account,
      bucket,
      keys: objects.map(({ key }) => key),
    });
    const put = putter({ account: bundle.account, bucket, acl, objects }, context);
    // The manifest goes last: who sees it may rely on every part being there.
    await inParallel(objects.slice(0, -1), input.concurrency, put, context);
    await inParallel(objects.slice(-1), 1, put, context);

    const stored = objects.map(({ key, sizeBytes, sha1 }) => ({ key, sizeBytes, sha1 }));
    const last = stored.at(-1);
    if (!last) throw new Problem("upload-failed", "the bundle has no manifest");
    return {
      account: bundle.account,
      bucket,
      parts: stored.slice(0, -1),
      manifest: last,
      location: `${bucket}/${last.key}`,
    };
  },
};

type Local = StoredPart & { readonly path: string; readonly contentType: string };

/** Puts one object, unless S3 has it already with the same size and SHA-1. */
function putter(
  {
    account,
    bucket,
    acl,
    objects,
  }: { account: Account; bucket: string; acl: string; objects: readonly Local[] },
  context: StageContext,
): (object: Local, signal: AbortSignal) => Promise<void> {
  const provider = context.cloud.account(account);
  const totalBytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  context.progress(0, totalBytes);
  return async ({ key, path, sizeBytes, sha1, contentType }, signal) => {
    const there = await provider.headObject({ bucket, key }, signal);
    if (there?.sizeBytes === sizeBytes && there.sha1 === sha1) {
      context.log(`${key} is there already`);
    } else {
      await provider.putObject(
        { bucket, key },
        { bytes: await readFile(path), sha1, contentType, acl },
        signal,
      );
    }
    doneBytes += sizeBytes;
    context.progress(doneBytes, totalBytes);
  };
}

/** The first failure stops the others, and is the one that is told. */
async function inParallel(
  objects: readonly Local[],
  concurrency: number,
  put: (object: Local, signal: AbortSignal) => Promise<void>,
  { signal }: StageContext,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const limit = pLimit(concurrency);
  const settled = await Promise.allSettled(
    objects.map((object) =>
      limit(async () => {
        either.throwIfAborted();
        try {
          await put(object, either);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    ),
  );
  signal.throwIfAborted();
  if (settled.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}
