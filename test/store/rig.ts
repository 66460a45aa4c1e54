import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GetObjectAclCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import type { Cloud } from "../../src/aws/cloud.ts";
import { defaultPatience } from "../../src/aws/patience.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { partName } from "../../src/bundle/pack.ts";
import { bundled, noise } from "../bundle/bundled.ts";
import type { TestCloud } from "../help/clouds.ts";

export const region = "us-east-1";
export const acl = "aws-exec-read";
export const concurrency = 4;
export const signal: AbortSignal = new AbortController().signal;
/** Whom moto takes everybody for. */
const motoAccount = "123456789012";

/** Two parts: eleven megabytes that do not compress. */
export const image: Buffer = noise(11 * 1024 * 1024);

/** A bundle in a directory of its own. */
export type Files = AsyncDisposable & {
  readonly directory: string;
  readonly manifestPath: string;
  readonly name: string;
  readonly fileNames: readonly string[];
  readonly parts: readonly Uint8Array[];
  readonly xml: string;
};

export async function newFiles(
  options: {
    readonly account?: string;
    readonly name?: string;
    readonly ec2Key?: string;
    readonly kernel?: string | null;
  } = {},
): Promise<Files> {
  const { name = "web", account = motoAccount, kernel = null, ec2Key } = options;
  const { parts, xml } = await bundled(
    [image],
    { sizeBytes: image.length, name },
    { account, kernel, ...(ec2Key === undefined ? {} : { ec2Key }) },
  );
  const directory = await newDirectory();
  const fileNames = parts.map((_, index) => partName(name, index, parts.length));
  for (const [index, bytes] of parts.entries()) {
    await writeFile(join(directory.path, fileNames[index] ?? ""), bytes);
  }
  const manifestPath = join(directory.path, `${name}.manifest.xml`);
  await writeFile(manifestPath, xml);
  return {
    directory: directory.path,
    manifestPath,
    name,
    fileNames,
    parts,
    xml,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

export async function newDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "imgspec-store-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The cloud as the commands have it, but soon tired. */
export function hasty({ options }: TestCloud): Cloud {
  return toCloud(options, { ...defaultPatience, attempts: 2, firstPauseMs: 5, longestPauseMs: 20 });
}

/** A name that no other test uses. */
export function newBucketName(): string {
  return `acme-${randomBytes(6).toString("hex")}`;
}

/** Keys of all objects of a bucket, and who may read each, as S3 tells somebody else's client. */
export async function aclsOf(
  cloud: TestCloud,
  bucket: string,
  place: string = region,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const client = clientOf(cloud, place);
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const entries = Contents.map(async ({ Key = "" }) => {
    const { Grants = [] } = await client.send(new GetObjectAclCommand({ Bucket: bucket, Key }));
    return [Key, Grants.map(({ Permission = "" }) => Permission).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

export function clientOf({ options }: TestCloud, place: string = region): S3Client {
  const { endpointUrl = "", credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" } } =
    options;
  return new S3Client({ endpoint: endpointUrl, region: place, credentials, forcePathStyle: true });
}
