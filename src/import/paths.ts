import { dirname, isAbsolute, join, relative } from "node:path";

/** Makes a path of a template one of the spec. Both are relative to their own file. */
export type Rebase = (path: string) => string;

/** Packer's paths are relative to where it is run: taken to be where the template is. */
export function toRebase(template: string, spec: string): Rebase {
  const way = relative(dirname(spec), dirname(template));
  return (path) => {
    if (isAbsolute(path) || path.startsWith("${{")) return path;
    const moved = join(way, path);
    // A "/" at the end says that the contents of a directory are meant.
    return moved === "." ? "./" : moved;
  };
}
