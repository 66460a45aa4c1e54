import { createHash, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cloud } from "../aws/cloud.ts";
import { withFiles } from "../bundle/file-problem.ts";
import type { ManifestPart } from "../bundle/manifest.ts";
import { readPart } from "../bundle/part-source.ts";
import { Problem } from "../problem.ts";
import { type Place, toKey, toUrl } from "./address.ts";
import { type BundleInS3, openAt } from "./bundle-in-s3.ts";
import { inParallel } from "./in-parallel.ts";
import { locate, type Seeker } from "./locate.ts";
import { type Listener, Tally } from "./progress.ts";

/** A bundle in S3, and where its files go. */
export type DownloadOptions = Seeker &
  Listener & {
    readonly place: Place;
    /** Such as `image.manifest.xml`. */
    readonly fileName: string;
    /** It must be there. */
    readonly directory: string;
    /** For a manifest from before 2007, which is encrypted; PEM. */
    readonly privateKey?: string | undefined;
    readonly concurrency: number;
    readonly signal: AbortSignal;
  };

/** A bundle that lies in a directory, every part as the manifest says. */
export type Downloaded = {
  readonly manifest: string;
  readonly source: string;
  readonly downloaded: number;
  readonly alreadyThere: number;
  readonly sizeBytes: number;
};

/**
 * Gets a bundle out of S3: parts several at once, each written beside and renamed once its SHA-1 is as the manifest
 * says, and the manifest last. Parts that are there and right are not fetched again. An encrypted manifest is kept
 * decrypted, as the other commands want it. Throws `bundle-invalid` for a part that is not what it should be.
 */
export async function downloadBundle(cloud: Cloud, options: DownloadOptions): Promise<Downloaded> {
  const { place, fileName, directory, concurrency, signal } = options;
  await expectDirectory(directory);
  const located = await locate(cloud, place.bucket, options, signal);
  const bundle = await openAt(located, place, fileName, options);
  const { parts, bundledSizeBytes } = bundle.manifest.image;
  expectPartNames(parts);
  const tally = new Tally(options, bundledSizeBytes);
  let sizeBytes = 0;
  const get = async (part: ManifestPart, either: AbortSignal): Promise<void> => {
    const { how, bytes } = await getPart(bundle, part, directory, either);
    sizeBytes += bytes;
    tally.add(part.fileName, how, bytes);
  };
  await inParallel(parts, concurrency, get, signal);
  if (sizeBytes !== bundledSizeBytes) {
    throw new Problem(
      "bundle-invalid",
      `the parts have ${sizeBytes} bytes together, the manifest says ${bundledSizeBytes}`,
    );
  }
  const manifest = join(directory, fileName);
  await writeBeside(manifest, Buffer.from(bundle.text, "utf8"));
  return {
    manifest,
    source: toUrl(place, toKey(place, fileName)),
    downloaded: tally.moved,
    alreadyThere: tally.there,
    sizeBytes,
  };
}

/** A manifest of somebody else's must not make us write `.bashrc`; every tool calls its parts so. */
function expectPartNames(parts: readonly ManifestPart[]): void {
  const odd = parts.find(({ fileName }) => !/\.part\.\d+$/.test(fileName));
  if (!odd) return;
  throw new Problem(
    "bundle-invalid",
    `part ${odd.index} is called ${odd.fileName}, which is no name of a part`,
    {
      hint: "imgspec unbundle s3://… takes the image out without writing such a file",
    },
  );
}

async function getPart(
  { openPart }: BundleInS3,
  part: ManifestPart,
  directory: string,
  signal: AbortSignal,
): Promise<{ how: "got" | "there"; bytes: number }> {
  const path = join(directory, part.fileName);
  const there = await sizeIfRight(path, part.sha1, signal);
  if (there !== null) return { how: "there", bytes: there };
  const bytes = await readPart(part, openPart, signal);
  await writeBeside(path, bytes);
  return { how: "got", bytes: bytes.length };
}

/** The size of a file with this SHA-1; null for another, or none. */
async function sizeIfRight(path: string, sha1: string, signal: AbortSignal): Promise<number | null> {
  const hash = createHash("sha1");
  let sizeBytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024, signal })) {
      hash.update(chunk as Uint8Array);
      sizeBytes += (chunk as Uint8Array).length;
    }
  } catch {
    signal.throwIfAborted();
    return null;
  }
  return hash.digest("hex") === sha1 ? sizeBytes : null;
}

/** What stands at the path is a whole file or what was there before. */
async function writeBeside(path: string, bytes: Uint8Array): Promise<void> {
  await using file = new PartialFile(path);
  await withFiles(`cannot write ${path}`, () => file.write(bytes));
}

class PartialFile implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.${randomBytes(6).toString("hex")}.partial`;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await writeFile(this.#temporary, bytes, { flag: "wx" });
    await rename(this.#temporary, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#temporary, { force: true });
  }
}

async function expectDirectory(directory: string): Promise<void> {
  const found = await withFiles(`cannot write to ${directory}`, () => stat(directory));
  if (!found.isDirectory()) throw new Problem("file-unreadable", `${directory} is no directory`);
}
