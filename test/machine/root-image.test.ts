import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CommandStream, Machine } from "../../src/machine/machine.ts";
import { openRootImage, type RootImageOptions } from "../../src/machine/root-image.ts";
import { connect } from "../../src/machine/ssh.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(60_000);
const base: RootImageOptions = {
  partition: "auto",
  sizeMib: null,
  include: [],
  fstab: "keep",
  hygiene: {},
  allow: [],
  hook: null,
  exclude: ["/it's/**"],
  sudo: false,
  forgetKey: "ssh-ed25519 AAAABUILD imgspec",
  signal,
  log: () => undefined,
};

test("an image that breaks off never looks complete", async () => {
  const machine = saying({ lines: ["imgspec-image: size=10"], chunks: ["12345"], code: 0 });
  const image = await openRootImage(machine, base);
  expect(image.sizeBytes).toBe(10);
  await expect(drain(image.chunks)).rejects.toMatchObject({
    code: "bundle-invalid",
    message: "the image of the root is not complete: 5 of 10 bytes arrived",
  });
});

test("an image is its bytes, and what happens on the way is told", async () => {
  const told: string[] = [];
  const lines = ["imgspec-phase: measuring the files", "mke2fs: odd", "imgspec-image: size=5"];
  const machine = saying({ lines, chunks: ["123", "45"], code: 0 });
  const image = await openRootImage(machine, { ...base, log: (line) => told.push(line) });
  expect(await drain(image.chunks)).toBe(5);
  await image.finished;
  expect(told).toEqual(["measuring the files", "mke2fs: odd"]);
});

test.each([
  [
    ["imgspec-missing: mke2fs 1.43 or newer (found 1.42.9)"],
    69,
    "the machine lacks mke2fs 1.43 or newer (found 1.42.9), which it takes to make an image of its root",
    expect.stringContaining("bundle.needs: warn"),
  ],
  [
    ["imgspec-no-room: the files do not fit into 64 MiB"],
    73,
    "there is no room for the image of the root: the files do not fit into 64 MiB",
    expect.stringContaining("bundle.size"),
  ],
  [
    ["imgspec-phase: writing", "Populating: bad", "imgspec-problem: mke2fs could not make the file system"],
    70,
    "the image of the root could not be made: mke2fs could not make the file system\n  Populating: bad",
    undefined,
  ],
  [
    ["sudo: a password is required"],
    1,
    "the image of the root could not be made: the program that makes it exited with 1\n  sudo: a password is required",
    expect.stringContaining("connect.user"),
  ],
])("what a machine cannot do is said in words: %j", async (lines, code, message, hint) => {
  await expect(openRootImage(saying({ lines, chunks: [], code }), base)).rejects.toMatchObject({
    code: "bundle-invalid",
    message,
    hint,
  });
});

const able = haveSshd && userInfo().uid === 0;

test.skipIf(!able)(
  "an image comes over SSH, and an abort leaves nothing of it (skipped unless root and with sshd)",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "imgspec-root-test-"));
    await mkdir(join(root, "it's"));
    await writeFile(join(root, "it's", "gone"), "x");
    await writeFile(join(root, "file"), Buffer.alloc(20_000_000, "y"));
    await using sshd = await startSshd();
    await using machine = await connect(sshd.address, { signal, timeoutMs: 20_000 });
    const image = await openRootImage(machine, { ...base, root, sudo: true });
    expect(await drain(image.chunks)).toBe(image.sizeBytes);
    expect(image.sizeBytes).toBeGreaterThan(80_000_000);

    const crowded = openRootImage(machine, { ...base, root, sizeMib: 1 });
    await expect(crowded).rejects.toMatchObject({ message: expect.stringContaining("there is no room") });

    const stop = new AbortController();
    const aborted = await openRootImage(machine, { ...base, root, signal: stop.signal });
    stop.abort(new Error("enough"));
    await expect(drain(aborted.chunks)).rejects.toThrow("enough");
    await expect(aborted.finished).rejects.toThrow("enough");
    expect(await processesLike(new RegExp(root))).toEqual([]);
    for (const place of ["/mnt", "/var/tmp", "/tmp"]) {
      expect(
        (await readdir(place).catch(() => [])).filter((name) => /^\.imgspec-.*\.image$/.test(name)),
      ).toEqual([]);
    }
    await rm(root, { recursive: true });
  },
);

/** A machine on which every command says this. */
function saying(what: { lines: readonly string[]; chunks: readonly string[]; code: number }): Machine {
  const stdout = (async function* () {
    for (const chunk of what.chunks) yield Buffer.from(chunk);
  })();
  const result = { code: what.code, signal: null, stderr: `${what.lines.join("\n")}\n` };
  const unused = (): never => {
    throw new Error("not used");
  };
  return {
    hostKey: "",
    lost: new AbortController().signal,
    run: unused,
    stream: async (_command, { onLine }): Promise<CommandStream> => {
      for (const line of what.lines) onLine?.(line, "stderr");
      return { stdout, result: Promise.resolve(result) };
    },
    upload: unused,
    write: unused,
    download: unused,
    execute: unused,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function drain(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}
