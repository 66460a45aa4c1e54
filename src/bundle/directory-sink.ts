import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundlePart, BundleSink } from "./bundle-sink.ts";
import { withFiles } from "./file-problem.ts";
import type { Manifest } from "./manifest.ts";

/**
 * Puts a bundle into a directory that exists. Everything is written into a hidden directory in it and moved when it is
 * complete; an older bundle of the same name is untouched until then, and afterwards nothing of it is left.
 */
export async function directorySink(directory: string, name: string): Promise<BundleSink> {
  const spool = await withFiles(`cannot write the bundle to ${directory}`, () =>
    mkdtemp(join(directory, `.${name}.`)),
  );
  return new DirectorySink(directory, name, spool);
}

class DirectorySink implements BundleSink {
  readonly #directory: string;
  readonly #name: string;
  readonly #spool: string;
  #isMoving = false;

  constructor(directory: string, name: string, spool: string) {
    this.#directory = directory;
    this.#name = name;
    this.#spool = spool;
  }

  async writePart({ index, bytes }: BundlePart): Promise<void> {
    await withFiles(`cannot write part ${index} of the bundle to ${this.#directory}`, () =>
      writeFile(join(this.#spool, String(index)), bytes),
    );
  }

  async finish({ image }: Manifest, text: string): Promise<void> {
    const manifest = `${this.#name}.manifest.xml`;
    const spooled = join(this.#spool, manifest);
    await withFiles(`cannot write the bundle to ${this.#directory}`, async () => {
      await writeFile(spooled, text);
      // From here until the new manifest stands, there is none: no manifest is ever beside parts of another bundle.
      await rm(this.#path(manifest), { force: true });
      await this.#removeParts();
      this.#isMoving = true;
      for (const { index, fileName } of image.parts) {
        await rename(join(this.#spool, String(index)), this.#path(fileName));
      }
      await rename(spooled, this.#path(manifest));
      this.#isMoving = false;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What brought us here is told; that a disk which fails keeps something would only hide it.
    await rm(this.#spool, { recursive: true, force: true }).catch(() => undefined);
    if (this.#isMoving) await this.#removeParts().catch(() => undefined);
  }

  /** Of an older bundle: it may have had more of them, or names of another width. */
  async #removeParts(): Promise<void> {
    const names = await readdir(this.#directory);
    for (const name of names.filter((candidate) => isPartOf(this.#name, candidate))) {
      await rm(this.#path(name), { force: true });
    }
  }

  #path(fileName: string): string {
    return join(this.#directory, fileName);
  }
}

/** Whether a file is called like one that bundling under this name writes, and so replaces. */
export function isBundleFile(bundle: string, fileName: string): boolean {
  return fileName === `${bundle}.manifest.xml` || isPartOf(bundle, fileName);
}

function isPartOf(bundle: string, fileName: string): boolean {
  return fileName.startsWith(`${bundle}.part.`) && /^\d+$/.test(fileName.slice(bundle.length + 6));
}
