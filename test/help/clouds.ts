import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import type { CloudOptions } from "../../src/aws/cloud.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { InstanceHost } from "../../src/emulator/instance-host.ts";
import { startEmulator } from "../../src/emulator/start.ts";
import { haveMoto, startMoto } from "./moto.ts";

/** An AWS to hold the provider against. */
export type TestCloud = AsyncDisposable & { readonly options: CloudOptions };

/** The same calls go to an AWS by other hands and to our own, which so cannot agree with us alone. */
export const clouds: readonly { name: string; skipped: boolean; start: () => Promise<TestCloud> }[] = [
  {
    name: haveMoto ? "moto" : "moto (skipped: python3 has no moto)",
    skipped: !haveMoto,
    start: startMotoCloud,
  },
  { name: "the emulator", skipped: false, start: startEmulatedCloud },
];

/** Makes a bucket as a user would, ACLs allowed. */
export async function createBucket(
  cloud: Pick<TestCloud, "options">,
  name: string,
  region: string,
): Promise<void> {
  const { endpointUrl = "", credentials = someone } = cloud.options;
  const client = new S3Client({ endpoint: endpointUrl, region, credentials, forcePathStyle: true });
  const command = new CreateBucketCommand({
    Bucket: name,
    ObjectOwnership: "ObjectWriter",
    // The SDK lists the regions of its own day.
    ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } }),
  });
  await client.send(command);
}

const someone = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };

async function startMotoCloud(): Promise<TestCloud> {
  const moto = await startMoto();
  return {
    options: { endpointUrl: moto.url, credentials: someone },
    [Symbol.asyncDispose]: () => moto[Symbol.asyncDispose](),
  };
}

/** Our own, whose instances nobody logs in to. */
export async function startEmulatedCloud(): Promise<TestCloud & { readonly emulator: Emulator }> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-cloud-"));
  const emulator = await startEmulator({ directory, instances: pretended(directory) });
  return {
    emulator,
    options: emulator.cloud,
    [Symbol.asyncDispose]: async () => {
      await emulator[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function pretended(directory: string): InstanceHost {
  const root = () => Promise.resolve({ id: "root", path: directory });
  return {
    check: () => Promise.resolve(),
    baseRoot: root,
    rootFromImage: root,
    start: () =>
      Promise.resolve({
        port: 9,
        hostKey: "ssh-ed25519 AAAA",
        consoleOutput: () => "Linux version 6.1",
        stop: () => Promise.resolve(),
      }),
    close: () => Promise.resolve(),
  };
}
