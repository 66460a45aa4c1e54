import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { newBench } from "../help/remote-bundle.ts";

const partSize = 10 * 1024 * 1024;
const works = (command: string): boolean => {
  try {
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};
const able = works("curl --version && openssl version && [ -d /dev/shm ]");

for (const shell of ["dash", "bash", "busybox sh"]) {
  const title = `${shell} bundles an image into S3, and it opens again (skipped where something is missing)`;
  test.skipIf(!able || !works(`${shell} -c true`))(title, async () => {
    await using bench = await newBench(shell);
    // Does not get smaller, so that its parts can be counted.
    const image = randomBytes(2 * partSize + 1234 * 512);
    const made = await bench.bundle(image);
    expect(made.parts.map(({ sizeBytes }) => sizeBytes === partSize)).toEqual([true, true, false]);
    expect(made.imageSha256).toBe(createHash("sha256").update(image).digest("hex"));
    expect((await bench.restore(made)).equals(image)).toBe(true);
    expect(await bench.left()).toEqual([]);
    expect(bench.log).toEqual(["sending"]);
  });
}
