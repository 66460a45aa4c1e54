import { randomBytes } from "node:crypto";
import { constants, copyFile, rename, rm, writeFile } from "node:fs/promises";
import { Problem } from "../problem.ts";
import { withFiles } from "./file-problem.ts";
import { type MigrateOptions, migrateManifest } from "./migrate-manifest.ts";
import { openBundle } from "./opened-bundle.ts";

/**
 * Makes the manifest in a file fit for another EC2, and keeps what it was in `FILE.bak`. A file of that name is never
 * overwritten. When it fails, the manifest is as it was.
 */
export async function migrateFile(
  path: string,
  options: MigrateOptions,
): Promise<{ readonly backup: string }> {
  const { text } = await openBundle(path, { privateKey: options.privateKey });
  const migrated = migrateManifest(text, options);
  const backup = `${path}.bak`;
  await withFiles(`cannot keep the old manifest as ${backup}`, () => keep(path, backup));
  await using file = new Beside(path);
  await withFiles(`cannot write ${path}`, () => file.write(migrated));
  return { backup };
}

async function keep(path: string, backup: string): Promise<void> {
  try {
    await copyFile(path, backup, constants.COPYFILE_EXCL);
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EEXIST")) throw cause;
    throw new Problem("usage-wrong", `${backup} exists already`, {
      hint: "it is what an earlier migration began with: move it away",
      cause,
    });
  }
}

class Beside implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;

  constructor(path: string) {
    this.#path = path;
    this.#temporary = `${path}.${randomBytes(6).toString("hex")}.partial`;
  }

  async write(text: string): Promise<void> {
    await writeFile(this.#temporary, text, { flag: "wx" });
    await rename(this.#temporary, this.#path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#temporary, { force: true });
  }
}
