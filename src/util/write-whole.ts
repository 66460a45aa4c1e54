import { rename, rm, writeFile } from "node:fs/promises";

/** Writes a file beside its place and renames it there: a reader sees the old one or the new one, never half. Rejects as the file system does. */
export async function writeWhole(path: string, content: string, mode = 0o666): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(beside, content, { mode });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
