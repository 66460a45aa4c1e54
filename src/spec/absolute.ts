import { dirname, resolve } from "node:path";
import { type Node, type Path, placeAt } from "../document/node.ts";

/** A local path as it is written at `at`, made absolute: relative to the file that names it. */
export function toAbsolute(root: Node, at: Path, path: string): string {
  return resolve(dirname(placeAt(root, at, "value").path), path);
}
