import { createHash } from "node:crypto";
import type { Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import type { Stage, StageContext } from "./stage.ts";
import type { StoredPart, UploadedBundle } from "./upload.ts";

export type VerifyInput = { readonly uploaded: UploadedBundle };

/** The same bundle, of which every object in S3 was held against the manifest. */
export type VerifiedBundle = UploadedBundle & { readonly verified: true };

export const verify: Stage<VerifyInput, VerifiedBundle> = {
  kind: "verify.s3",
  title: "Verify the bundle in S3",
  exitCode: 6,
  summarize: ({ parts }) => `${parts.length + 1} objects match`,
  run: async ({ uploaded }, context) => {
    const provider = context.cloud.account(uploaded.account);
    const objects = [...uploaded.parts, uploaded.manifest];
    const wrong: string[] = [];
    let downloaded = 0;
    for (const object of objects) {
      const { complaint, readBack } = await check(provider, uploaded.bucket, object, context);
      if (readBack) downloaded++;
      if (complaint !== null) wrong.push(`${object.key} ${complaint}`);
    }
    if (wrong.length > 0) {
      throw new Problem(
        "bundle-invalid",
        `the bundle in ${uploaded.bucket} is not what was made: ${wrong.join("; ")}`,
        {
          hint: `something else writes to this prefix; put \${{ build.id }} into upload.prefix`,
        },
      );
    }
    const how = downloaded === 0 ? "by the SHA-1 that S3 computed" : `${downloaded} of them read back`;
    context.log(`${objects.length} objects match their size and SHA-1, ${how}`);
    return { ...uploaded, verified: true };
  },
};

async function check(
  provider: Provider,
  bucket: string,
  { key, sizeBytes, sha1 }: StoredPart,
  { signal }: StageContext,
): Promise<{ complaint: string | null; readBack: boolean }> {
  const stored = await provider.headObject({ bucket, key }, signal);
  if (!stored) return { complaint: "is missing", readBack: false };
  if (stored.sizeBytes !== sizeBytes) {
    return { complaint: `has ${stored.sizeBytes} bytes instead of ${sizeBytes}`, readBack: false };
  }
  // A store that keeps no SHA-1 (not S3 itself) makes us read the object.
  const seen = stored.sha1 ?? (await digestOf(provider, bucket, key, signal));
  const complaint = seen === sha1 ? null : `has SHA-1 ${seen} instead of ${sha1}`;
  return { complaint, readBack: stored.sha1 === null };
}

async function digestOf(
  provider: Provider,
  bucket: string,
  key: string,
  signal: AbortSignal,
): Promise<string> {
  const hash = createHash("sha1");
  for await (const chunk of await provider.getObject({ bucket, key }, signal))
    hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}
