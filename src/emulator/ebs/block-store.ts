import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { readState, writeState } from "../state-file.ts";

/** All of EBS's blocks are of this size, bytes. */
export const blockBytes: number = 512 * 1024;

/** SHA-256 in base64 of every block that was written, by its index. */
export type Blocks = ReadonlyMap<number, string>;

/** The blocks of snapshots: each in a file that has holes where nothing was written. */
export class BlockStore {
  readonly #directory: string;
  /** Of snapshots that are being written, or were read. */
  readonly #blocks = new Map<string, Map<number, string>>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Puts a copy of the snapshot there: a disk image, sparse. */
  async copy(snapshot: string, path: string): Promise<void> {
    if (process.platform !== "linux")
      return copyFile(this.#pathOf(snapshot), path, constants.COPYFILE_FICLONE);
    // Node would fill the holes.
    const options = ["--sparse=always", "--reflink=auto", "--"];
    await promisify(execFile)("cp", [...options, this.#pathOf(snapshot), path]);
  }

  async create(snapshot: string, sizeBytes: number): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await using file = await open(this.#pathOf(snapshot), "w", 0o600);
    await file.truncate(sizeBytes);
    this.#blocks.set(snapshot, new Map());
  }

  async write(snapshot: string, index: number, bytes: Uint8Array): Promise<void> {
    await using file = await open(this.#pathOf(snapshot), "r+");
    await file.write(bytes, 0, bytes.length, index * blockBytes);
    this.#blocks.get(snapshot)?.set(index, createHash("sha256").update(bytes).digest("base64"));
  }

  async read(snapshot: string, index: number): Promise<Buffer> {
    await using file = await open(this.#pathOf(snapshot), "r");
    const bytes = Buffer.alloc(blockBytes);
    await file.read(bytes, 0, blockBytes, index * blockBytes);
    return bytes;
  }

  /** In ascending order; empty for a snapshot that is not there. */
  async blocksOf(snapshot: string): Promise<Blocks> {
    const kept =
      this.#blocks.get(snapshot) ??
      new Map(await readState<readonly (readonly [number, string])[]>(this.#indexOf(snapshot)));
    this.#blocks.set(snapshot, kept);
    return new Map([...kept].sort(([a], [b]) => a - b));
  }

  /** From now on the blocks are there after a restart. */
  async seal(snapshot: string): Promise<void> {
    await writeState(this.#indexOf(snapshot), [...(await this.blocksOf(snapshot))]);
  }

  async delete(snapshot: string): Promise<void> {
    this.#blocks.delete(snapshot);
    await rm(this.#pathOf(snapshot), { force: true });
    await rm(this.#indexOf(snapshot), { force: true });
  }

  #pathOf(snapshot: string): string {
    return join(this.#directory, `${snapshot}.img`);
  }

  #indexOf(snapshot: string): string {
    return join(this.#directory, `${snapshot}.json`);
  }
}
