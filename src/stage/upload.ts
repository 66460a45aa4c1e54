import { readFile } from "node:fs/promises";
import type { Account } from "../aws/cloud.ts";
import { withFiles } from "../bundle/file-problem.ts";

import { inParallel } from "../store/in-parallel.ts";
import { type LocalObject, manifestType, partType, putFile } from "../store/put-file.ts";
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
    const { byteLength } = await withFiles(`cannot read ${bundle.manifestPath}`, () =>
      readFile(bundle.manifestPath),
    );
    const manifest = {
      key: joinKey(prefix, `${bundle.name}.manifest.xml`),
      path: bundle.manifestPath,
      sizeBytes: byteLength,
      sha1: bundle.manifestSha1,
      contentType: manifestType,
    };
    const parts = bundle.parts.map((part) => ({ ...part, key: joinKey(prefix, part.name) }));
    const local = parts.flatMap(({ path, ...part }) =>
      path === null ? [] : { ...part, path, contentType: partType },
    );
    if (!bundle.isStored) {
      await context.scope.acquire(bundleObjects, {
        account: bundle.account,
        bucket,
        keys: [...local, manifest].map(({ key }) => key),
        acl,
        run: context.run.id,
        manifestSha1: bundle.manifestSha1,
      });
    }
    const put = putter(bundle.account, input, [...local, manifest], context);
    // The manifest goes last: who sees it may rely on every part being there.
    await inParallel(local, input.concurrency, put, context.signal);
    await inParallel([manifest], 1, put, context.signal);
    return {
      account: bundle.account,
      bucket,
      parts: parts.map(toStored),
      manifest: toStored(manifest),
      location: `${bucket}/${manifest.key}`,
    };
  },
};

function toStored({ key, sizeBytes, sha1 }: StoredPart): StoredPart {
  return { key, sizeBytes, sha1 };
}

/** Puts one object, unless S3 has it already, and tells how far the upload is. */
function putter(
  account: Account,
  { bucket, acl }: UploadInput,
  objects: readonly LocalObject[],
  context: StageContext,
): (object: LocalObject, signal: AbortSignal) => Promise<void> {
  const provider = context.cloud.account(account);
  const totalBytes = objects.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let doneBytes = 0;
  context.progress(0, totalBytes);
  return async (object, signal) => {
    const how = await putFile(provider, bucket, acl, object, signal);
    if (how === "there") context.log(`${object.key} is there already`);
    doneBytes += object.sizeBytes;
    context.progress(doneBytes, totalBytes);
  };
}
