import { readFile } from "node:fs/promises";

import { quote } from "./quote.ts";

/** What is done with a class of findings: left out of the image, a failed build, or only told. */
export type HygieneAction = "scrub" | "refuse" | "keep";

export type RootImageRequest = {
  /** Auto: what the running disk has; none: a bare file system. */
  readonly partition: "auto" | "gpt" | "mbr" | "none";
  /** Size of the whole image; null: what the files take, a fifth more, and 64 MiB. */
  readonly sizeMib: number | null;
  /** Absolute globs: a directory that matches loses its contents, anything else is left out. */
  readonly exclude: readonly string[];
  /** Absolute globs that let back in what is excluded. */
  readonly include: readonly string[];
  readonly fstab: "keep" | "generate" | { readonly text: string };
  readonly hygiene: Readonly<Record<string, HygieneAction>>;
  /** Globs of paths that hygiene lets pass. */
  readonly allow: readonly string[];
  /** A program that is run as root with the tree as its argument before the image is made; null: none. */
  readonly hook: string | null;
  /** A public key line to be left out of every authorized_keys. */
  readonly forgetKey: string;
  /** Another directory than `/` to take for the root. */
  readonly root?: string;
};

const files =
  "begin root-device partition-table boot-loader boot-area tree fstab hygiene hygiene-contents room mounted ext xfs main".split(
    " ",
  );

/** The text of the program that makes an image of a root: for any POSIX shell, run as `unshare -m sh -s -- ARGUMENTS`. */
export async function toRootImageProgram({
  fstab,
  hook,
}: Pick<RootImageRequest, "fstab" | "hook">): Promise<string> {
  const place = (name: string): URL => new URL(`../../templates/instance/image/${name}.sh`, import.meta.url);
  const texts = await Promise.all(files.map((name) => readFile(place(name), "utf8")));
  const given = [
    `given_fstab=${quote(typeof fstab === "string" ? "" : fstab.text)}`,
    `given_hook=${quote(hook ?? "")}`,
  ];
  return [...given, ...texts].join("\n");
}

/** Its arguments. With `check` it only tells what is missing or in the way. */
export function toRootImageArguments(request: RootImageRequest, check = false): readonly string[] {
  const { partition, sizeMib, exclude, include, fstab, hygiene, allow, forgetKey, root } = request;
  return [
    ...["--partition", partition],
    ...(sizeMib === null ? [] : ["--size", String(sizeMib)]),
    ...(root === undefined ? [] : ["--root", root]),
    ...["--forget", forgetKey],
    ...["--fstab", typeof fstab === "string" ? fstab : "given"],
    ...exclude.flatMap((glob) => ["--exclude", glob]),
    ...include.flatMap((glob) => ["--include", glob]),
    ...Object.entries(hygiene).flatMap(([name, action]) => ["--hygiene", `${name}=${action}`]),
    ...allow.flatMap((glob) => ["--allow", glob]),
    ...(check ? ["--check", "yes"] : []),
  ];
}
