import { realpath, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ImageSource } from "../bundle/image-source.ts";
import { isSafeFileName } from "../bundle/manifest.ts";
import { Problem } from "../problem.ts";

/** How a command says what the image is. `sparse` absent: the zeros of a regular file are left out, others are not. */
export type SourceOptions = { readonly size?: number; readonly sparse?: boolean };

/** Opens the image that a command names; `-` is stdin, which takes a size. */
export async function openSource(
  path: string,
  { size, sparse }: SourceOptions,
  signal: AbortSignal,
): Promise<ImageSource> {
  const { openImage, streamImage } = await import("../bundle/image-source.ts");
  if (sparse && (path === "-" || size !== undefined)) {
    throw new Problem("usage-wrong", "--sparse reads an image twice, which takes a file or a block device", {
      hint: "leave out --sparse",
    });
  }
  if (sparse ?? (path !== "-" && (await isFile(path)))) {
    return (await import("../bundle/sparse-image.ts")).openSparseImage(path, signal);
  }
  if (path !== "-") return openImage(path, size);
  if (size !== undefined) return streamImage(process.stdin, size);
  throw new Problem("usage-wrong", "the size of an image from stdin must be known beforehand", {
    hint: "add --size, such as --size 10GiB: it stands at the very beginning of a bundle",
  });
}

/** False also for what is not there: opening it tells that better. */
async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}

/** What the bundle will be called. Throws `usage-wrong` for what cannot be the name of files. */
export function nameOf(image: ImageSource, prefix: string | undefined): string {
  const name = prefix ?? image.name;
  if (name === null) {
    throw new Problem("usage-wrong", "a bundle of an image from stdin needs a name", {
      hint: "add --prefix",
    });
  }
  if (isSafeFileName(name)) return name;
  throw new Problem("usage-wrong", `"${name}" cannot be the name of a bundle`, {
    hint: "use letters, digits, dots, dashes and underscores",
  });
}

/** Throws `usage-wrong` for an image that is called like a part of an older bundle, since those are removed. */
export async function expectApart(path: string, destination: string, name: string): Promise<void> {
  const { isBundleFile } = await import("../bundle/directory-sink.ts");
  if (path === "-" || !isBundleFile(name, basename(path))) return;
  const [folder, target] = await Promise.all(
    [dirname(path), destination].map((place) => realpath(place).catch(() => place)),
  );
  if (folder !== target) return;
  throw new Problem("usage-wrong", `${path} would be replaced by the bundle itself`, {
    hint: "choose another --prefix or --destination",
  });
}
