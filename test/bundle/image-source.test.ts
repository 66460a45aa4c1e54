import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ImageSource, openImage } from "../../src/bundle/image-source.ts";
import { noise } from "./bundled.ts";

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-image-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test("a file tells its name, size, time and bytes", async () => {
  const path = join(directory, "web.img");
  await writeFile(path, noise(2_000_000));
  await utimes(path, 1000, 2000);
  const image = await openImage(path);
  expect([image.name, image.sizeBytes, image.modifiedAt.getTime()]).toEqual([
    "web.img",
    2_000_000,
    2_000_000,
  ]);
  expect((await bytesOf(image)).equals(noise(2_000_000))).toBe(true);
});

test("a named pipe takes the size from its user", async () => {
  const path = join(directory, "pipe");
  execFileSync("mkfifo", [path]);
  await expect(openImage(path)).rejects.toMatchObject({ code: "usage-wrong" });
  const image = await openImage(path, 5);
  const [bytes] = await Promise.all([bytesOf(image), writeFile(path, "12345")]);
  expect(bytes.toString()).toBe("12345");
});

test("a directory and a missing file are told apart", async () => {
  await expect(openImage(directory)).rejects.toMatchObject({
    code: "file-unreadable",
    message: `cannot read the image ${directory}: it is a directory`,
  });
  await expect(openImage(join(directory, "none"))).rejects.toMatchObject({
    code: "file-unreadable",
    message: `cannot read the image ${directory}/none: there is no such file or directory`,
  });
});

test("a block device is as large as the kernel says (where root may make one)", async (context) => {
  const numbers = await readdir("/sys/dev/block").catch(() => []);
  const [number] = numbers.filter((name) => !name.startsWith("7:"));
  if (number === undefined) return context.skip("this machine has no block device");
  const path = join(directory, "disk");
  const { status } = spawnSync("mknod", [path, "b", ...number.split(":")]);
  if (status !== 0) return context.skip("only root makes device files");
  const sectors = Number(await readFile(`/sys/dev/block/${number}/size`, "utf8"));
  expect((await openImage(path)).sizeBytes).toBe(sectors * 512);
  expect((await openImage(path, 5)).sizeBytes).toBe(5);
});

async function bytesOf(image: ImageSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of image.chunks) chunks.push(chunk);
  return Buffer.concat(chunks);
}
