import { rm, writeFile } from "node:fs/promises";
import type { Resource } from "../../src/journal/resource.ts";

/** A file: what exists of a killed process can be seen by another. */
export const fileThing: Resource<string, { readonly path: string }> = {
  kind: "test.file",
  acquire: async (path) => {
    await writeFile(path, "");
    return { path };
  },
  release: ({ path }) => rm(path, { force: true }),
  describe: ({ path }) => `file ${path}`,
  byHand: ({ path }) => `rm ${path}`,
};
