import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { toBundleKey } from "../../src/bundle/key.ts";
import { newBench, runWith } from "../help/remote-bundle.ts";

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

describe.skipIf(!able)("a machine that bundles itself (skipped where something is missing)", () => {
  test("shows neither the key nor a signature in its processes, and holds three parts at a time", async () => {
    await using bench = await newBench();
    const seen = { processes: new Set<string>(), mostBytes: 0 };
    const look = async (): Promise<void> => {
      for (const text of await processes(bench.directory)) seen.processes.add(text);
      seen.mostBytes = Math.max(seen.mostBytes, await bytesIn(bench.directory));
    };
    const timer = setInterval(() => void look(), 50);
    const signed: string[] = [];
    const image = randomBytes(4 * partSize);
    await bench.bundle(image, {
      sign: async (part) => {
        const put = await bench.sign(part);
        signed.push(new URL(put.url).searchParams.get("X-Amz-Signature") ?? "");
        await look();
        return put;
      },
    });
    clearInterval(timer);
    const all = [...seen.processes].join("\n");
    expect(all).toMatch(/curl -q|openssl enc/);
    const key = toBundleKey(bench.passphrase);
    const secrets = [bench.passphrase, key.keyHex(), key.ivHex(), ...signed];
    expect(signed).toHaveLength(5);
    expect(secrets.filter((secret) => all.includes(secret))).toEqual([]);
    expect(seen.mostBytes).toBeGreaterThan(partSize);
    expect(seen.mostBytes).toBeLessThan(3.1 * partSize);
  });

  test("asks for another URL when one has expired", async () => {
    await using bench = await newBench();
    const image = randomBytes(4096);
    let count = 0;
    const made = await bench.bundle(image, {
      sign: async (part) => {
        count += 1;
        const put = await bench.sign(part, count === 1 ? 1 : 60);
        if (count === 1) await sleep(2100);
        return put;
      },
    });
    expect((await bench.restore(made)).equals(image)).toBe(true);
    expect(bench.log).toContain(
      "S3 did not take part 0 (403 AccessDenied Request has expired); asking again after try 1",
    );
  });

  test.each(["500", "cut"])("puts a part a third time when two answers were %s", async (fault) => {
    await using bench = await newBench();
    bench.rig.emulator.fail("PutObject", fault, { times: 2 });
    const image = randomBytes(4096);
    const made = await bench.bundle(image);
    expect((await bench.restore(made)).equals(image)).toBe(true);
    expect(bench.log.filter((line) => line.startsWith("S3 did not take part 0"))).toHaveLength(2);
  });

  test("tells how wrong its clock is when no URL comes in time", async () => {
    await using bench = await newBench();
    const failing = bench.bundle(randomBytes(4096), {
      sign: async (part) => {
        const put = await bench.sign(part, 1);
        await sleep(2100);
        return put;
      },
      run: (command) =>
        runWith(bench.directory, "date", "#!/bin/sh\necho $(($(/bin/date +%s) - 3720))\n", command),
    });
    await expect(failing).rejects.toMatchObject({
      code: "clock-skewed",
      message: expect.stringMatching(
        /403 AccessDenied Request has expired.* is 1 h 2 min behind the builder's$/,
      ),
    });
  });

  test("is stopped at once when it may not put, and nothing of it goes on", async () => {
    await using bench = await newBench();
    bench.rig.emulator.deny("s3:PutObject");
    await expect(bench.bundle(randomBytes(4096))).rejects.toMatchObject({
      code: "permission-denied",
      hint: expect.stringContaining("s3:PutObject"),
    });
    expect(await processes(bench.directory)).toEqual([]);
    expect(bench.rig.emulator.left().objects).toEqual([]);
  });

  test("ends as the program ends that makes the image", async () => {
    await using bench = await newBench();
    const stdin = 'echo "imgspec-no-room: it is too small" >&2; exit 73\n';
    const failing = bench.bundle(randomBytes(1), { image: { command: ["sh", "-s"], stdin } });
    await expect(failing).rejects.toMatchObject({
      code: "bundle-invalid",
      message: "there is no room for the image of the root: it is too small",
    });
  });

  test("does not pass for done when the image ends early", async () => {
    await using bench = await newBench();
    const stdin = 'echo "imgspec-image: size=8192" >&2; printf short\n';
    const failing = bench.bundle(randomBytes(1), { image: { command: ["sh", "-s"], stdin } });
    await expect(failing).rejects.toMatchObject({
      code: "bundle-invalid",
      message: expect.stringContaining("is not complete"),
    });
  });
});

/** Arguments and environment of everything that works in the directory, as all of the program does. */
async function processes(directory: string): Promise<readonly string[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(ids.map((id) => readlink(`/proc/${id}/cwd`).catch(() => "")));
  const mine = ids.filter((_, index) => places[index] === directory);
  const files = mine.flatMap((id) => [`/proc/${id}/cmdline`, `/proc/${id}/environ`]);
  const texts = await Promise.all(files.map((path) => readFile(path, "utf8").catch(() => "")));
  return texts.map((text) => text.replaceAll("\0", " "));
}

async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory);
  const sizes = names.map((name) =>
    stat(join(directory, name)).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}
