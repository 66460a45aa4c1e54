import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Problem } from "../../src/problem.ts";
import { type ReadOptions, readSpec } from "../../src/spec/read-spec.ts";
import type { ImageSpec, Spec } from "../../src/spec/spec.ts";

export const build: ReadOptions["build"] = {
  id: "20261122-213330-k3v9",
  now: new Date(Date.UTC(2026, 10, 22, 21, 33, 30)),
};

/** What is required of a spec, without regions. */
export const least = `imgspec: 1
name: web
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: [m3.medium] }
connect: { user: ec2-user }
upload: { bucket: acme-images }
`;

/** Reads a text as a spec that lies in a directory of its own, which is gone afterwards. */
export async function specOf(text: string, options: Partial<ReadOptions> = {}): Promise<Spec> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-spec-"));
  try {
    const path = join(directory, "image.yaml");
    await writeFile(path, text);
    return (await readSpec(path, { variables: {}, environment: {}, build, ...options })).spec;
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** The one image of a spec with the required sections, these lines and the region us-east-1. */
export async function imageOf(lines: string, options: Partial<ReadOptions> = {}): Promise<ImageSpec> {
  const { images } = await specOf(`${least}${lines}\nregions: { us-east-1: {} }\n`, options);
  const [image] = images;
  if (!image) throw new Error("no image");
  return image;
}

/** The section of an image that imgspec itself bundles. */
export function nativeOf({ bundle }: ImageSpec): Extract<ImageSpec["bundle"], { method: "native" }> {
  if (bundle.method !== "native") throw new Error(`the method is ${bundle.method}`);
  return bundle;
}

/** The problem that reading throws, as `code message (hint)` and one line for each diagnostic. */
export async function refusalOf(reading: Promise<unknown>): Promise<string[]> {
  const error: unknown = await reading.then(
    () => new Error("it was read"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw error;
  const hint = error.hint === undefined ? "" : ` (${error.hint})`;
  if (error.code !== "spec-invalid") return [`${error.code} ${error.message}${hint}`];
  return error.diagnostics.map(({ code, message }) => `${code} ${message}`);
}
