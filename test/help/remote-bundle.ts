import { spawn } from "node:child_process";
import { mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PresignedPut, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { newPassphrase, toBundleKey } from "../../src/bundle/key.ts";
import type { Manifest } from "../../src/bundle/manifest.ts";
import type { PackedImage } from "../../src/bundle/pack.ts";
import { unpack } from "../../src/bundle/unpack.ts";
import { LineSplitter } from "../../src/machine/lines.ts";
import {
  bundleRemotely,
  type RemoteBundleOptions,
  type RemoteCommand,
  type RemotePart,
} from "../../src/machine/remote-bundle.ts";
import { newRig, type Rig } from "../emulator/rig.ts";

const bucket = "acme-images";

/** The program that bundles on an instance, run here, with an emulator to put the parts into. */
export type Bench = AsyncDisposable & {
  readonly rig: Rig;
  readonly provider: Provider;
  readonly passphrase: string;
  /** On a memory file system, as on an instance. */
  readonly directory: string;
  readonly log: readonly string[];
  bundle(image: Uint8Array, change?: Partial<RemoteBundleOptions>): Promise<PackedImage>;
  sign(part: RemotePart, validSeconds?: number): Promise<PresignedPut>;
  /** The image out of the parts in S3, held against every digest. */
  restore(made: PackedImage): Promise<Buffer>;
  /** Files that the program has left in its directory. */
  left(): Promise<readonly string[]>;
};

export async function newBench(shell = "sh"): Promise<Bench> {
  const rig = await newRig();
  const provider = toCloud(rig.emulator.cloud).account({ region: "us-east-1" });
  await provider.createBucket(bucket, AbortSignal.timeout(10_000));
  const directory = await mkdtemp("/dev/shm/imgspec-test-");
  const sources = await mkdtemp("/var/tmp/imgspec-test-");
  const passphrase = newPassphrase();
  const log: string[] = [];
  const place = (index: number) => ({ bucket, key: `web/1/image.part.${index}` });
  const sign = (part: RemotePart, validSeconds = 60): Promise<PresignedPut> => {
    const body = { ...part, contentType: "application/octet-stream", acl: "aws-exec-read" };
    return provider.presignPut(place(part.index), body, validSeconds, AbortSignal.timeout(5000));
  };
  return {
    rig,
    provider,
    passphrase,
    directory,
    log,
    sign,
    bundle: async (image, change = {}) => {
      const source = join(sources, "image");
      await writeFile(source, image);
      const { image: made } = await bundleRemotely({
        name: "image",
        modifiedAt: new Date(),
        passphrase,
        level: 1,
        directory,
        image: {
          command: ["sh", "-s", "--", source, String(image.length)],
          stdin: 'echo "imgspec-phase: sending" >&2; echo "imgspec-image: size=$2" >&2; exec cat "$1"\n',
        },
        signal: AbortSignal.timeout(60_000),
        run: (command) => runLocally(shell, command, process.env),
        write: async (content, path) => {
          await writeFile(`${path}.new`, content, { mode: 0o600 });
          await rename(`${path}.new`, path);
        },
        sign,
        log: (line) => log.push(line),
        ...change,
      });
      return made;
    },
    restore: (made) => restore(made, provider, passphrase, place),
    left: async () => {
      const names = await readdir(directory);
      return names.filter((name) => /^(part|put|answer|said|passphrase)/.test(name));
    },
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true });
      await rm(sources, { recursive: true, force: true });
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** The same with a program of one's own in front of the machine's. */
export async function runWith(
  directory: string,
  name: string,
  text: string,
  command: RemoteCommand,
): ReturnType<typeof runLocally> {
  await writeFile(join(directory, name), text, { mode: 0o755 });
  return runLocally("sh", command, { ...process.env, PATH: `${directory}:${process.env["PATH"]}` });
}

/** In a process group of its own, which an abort ends, as it is on an instance. */
async function runLocally(
  shell: string,
  { program, arguments: words, stdin, signal, onLine }: RemoteCommand,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; signal: string | null }> {
  const scripts = await mkdtemp("/var/tmp/imgspec-test-");
  const script = join(scripts, "program");
  await writeFile(script, program);
  const [file = "", ...rest] = [...shell.split(" "), script, ...words];
  const child = spawn(file, rest, { detached: true, stdio: ["pipe", "ignore", "pipe"], env });
  const lines = new LineSplitter(onLine);
  child.stderr.on("data", (chunk: Buffer) => lines.push(chunk));
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const stop = (): void => void (child.pid !== undefined && process.kill(-child.pid, "SIGKILL"));
  signal.addEventListener("abort", stop, { once: true });
  const ended = await new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once("close", (code, name) => resolve({ code, signal: name }));
  });
  signal.removeEventListener("abort", stop);
  lines.end();
  await rm(scripts, { recursive: true, force: true });
  return ended;
}

async function restore(
  { parts, digest, sizeBytes, bundledSizeBytes }: PackedImage,
  provider: Provider,
  passphrase: string,
  place: (index: number) => { readonly bucket: string; readonly key: string },
): Promise<Buffer> {
  const image = Buffer.alloc(sizeBytes);
  const signal = AbortSignal.timeout(60_000);
  const named = parts.map((part) => ({ ...part, fileName: String(part.index) }));
  // What unpacking reads of a manifest.
  const manifest = { image: { parts: named, digest, sizeBytes, bundledSizeBytes } } as unknown as Manifest;
  await unpack(manifest, {
    key: toBundleKey(passphrase),
    openPart: ({ index }) => provider.getObject(place(index), signal),
    signal,
    onSegment: async ({ offset, bytes }) => void image.set(bytes, offset),
  });
  return image;
}
