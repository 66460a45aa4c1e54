import { readFile } from "node:fs/promises";
import { withFiles } from "../bundle/file-problem.ts";
import { checkImageTools } from "../machine/root-image.ts";
import type { HygieneAction, RootImageRequest } from "../machine/root-image-program.ts";
import { Problem } from "../problem.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { StageContext } from "./stage.ts";
import { login } from "./trust.ts";

/** A file of the builder, and the digest of what it held when the plan was made. */
type LocalFile = { readonly path: string; readonly contents: string };

/** What of the root volume gets into the image, and how. */
export type VolumeCopyInput = {
  readonly partition: "auto" | "gpt" | "mbr" | "none";
  readonly sizeMib: number | null;
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  readonly fstab: "keep" | "generate" | LocalFile;
  readonly hygiene: { readonly [name: string]: HygieneAction };
  readonly allow: readonly string[];
  readonly script: LocalFile | null;
};

/** What is asked of an instance that is to become an image, and what happens when it lacks something. */
export type ImageNeeds = { readonly copy: VolumeCopyInput; readonly when: "refuse" | "warn" };

/** The same as the program on the instance wants it, local files read. */
export async function toRootImageRequest(
  copy: VolumeCopyInput,
  forgetKey: string,
): Promise<RootImageRequest> {
  const { fstab, script, ...rest } = copy;
  return {
    ...rest,
    fstab: typeof fstab === "string" ? fstab : { text: await readText(fstab.path) },
    hook: script === null ? null : await readText(script.path),
    forgetKey,
  };
}

/** Asks the instance whether its root can be made into an image at all, while nothing has been done on it. */
export async function checkNeeds(
  instance: LaunchedInstance,
  { copy, when }: ImageNeeds,
  virtualization: string,
  context: StageContext,
): Promise<void> {
  const request = await toRootImageRequest(copy, instance.publicKey);
  await using machine = await login(instance, context);
  const options = { ...request, sudo: instance.user !== "root", log: (line: string) => context.log(line) };
  try {
    const table = await checkImageTools(machine, options, context.signal);
    if (table !== "none" || virtualization === "paravirtual" || copy.partition === "none") return;
    context.log(
      `warning: an ${virtualization} image needs a partitioned disk to boot on AWS, and the disk of this instance has no partition table`,
    );
  } catch (error) {
    if (when === "refuse" || !(error instanceof Problem) || error.code !== "bundle-invalid") throw error;
    context.log(`warning: ${error.message}`);
  }
}

/** The text of a script or table, which travels inside of the program. */
async function readText(path: string): Promise<string> {
  const bytes = await withFiles(`cannot read ${path}`, () => readFile(path));
  try {
    if (bytes.includes(0)) throw new TypeError("it holds NUL characters");
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Problem("file-unreadable", `${path} is not text`, { cause });
  }
}
