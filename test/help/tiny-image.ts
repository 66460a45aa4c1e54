import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cloud } from "../../src/aws/cloud.ts";
import type { Tags } from "../../src/aws/provider.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { regionOf } from "../../src/util/region.ts";
import { bundled } from "../bundle/bundled.ts";

const signal: AbortSignal = new AbortController().signal;
const acl = "aws-exec-read";
const sizeBytes = 4096;

export type TinyImage = { readonly id: string; readonly location: string; readonly name: string };

/** Where an image goes, and what is said of it. */
export type TinyFacts = {
  readonly bucket: string;
  /** `prefix/name`: the manifest is beside the part. */
  readonly key: string;
  readonly name?: string;
  readonly region?: string;
  readonly spec?: string;
  readonly tags?: Tags;
};

/** Stores a bundle of one small part, and registers it as a build would. */
export async function registerTiny(emulator: Emulator, cloud: Cloud, facts: TinyFacts): Promise<TinyImage> {
  const { bucket, key, region = "us-east-1", spec = "web", name = `${spec} ${key}`, tags = {} } = facts;
  const location = await storeTiny(emulator, cloud, facts);
  const provider = cloud.account({ region });
  const { id } = await provider.registerImage(
    {
      name,
      description: null,
      location,
      architecture: "x86_64",
      virtualization: "hvm",
      kernel: null,
      ramdisk: null,
      blockDeviceMappings: [],
      tags: { "imgspec:run": `run-of-${key}`, "imgspec:spec": spec, ...tags },
    },
    signal,
  );
  return { id, location: `${bucket}/${key}.manifest.xml`, name };
}

/** Waits until EC2 has made an image available. */
export async function available(cloud: Cloud, region: string, id: string): Promise<void> {
  const provider = cloud.account({ region });
  while ((await provider.findImages({ ids: [id] }, signal))[0]?.state !== "available") await sleep(50);
}

/** Stores it only; gives the location of its manifest. */
export async function storeTiny(
  emulator: Emulator,
  cloud: Cloud,
  { bucket, key, region = "us-east-1" }: TinyFacts,
): Promise<string> {
  const variant = regionOf(region).certificate ?? "commercial";
  const ec2Key = emulator.cloud.ec2Certificates?.[variant];
  const { parts, xml } = await bundled(
    [Buffer.alloc(sizeBytes, key)],
    { sizeBytes, name: key.split("/").at(-1) ?? key },
    { account: emulator.accountId, ...(ec2Key === undefined ? {} : { ec2Key }) },
  );
  const put = async (name: string, bytes: Uint8Array): Promise<void> => {
    const sha1 = createHash("sha1").update(bytes).digest("hex");
    const body = { bytes, sha1, contentType: "application/octet-stream", acl };
    await cloud.account({ region }).putObject({ bucket, key: name }, body, signal);
  };
  for (const [index, bytes] of parts.entries()) await put(`${key}.part.${index}`, bytes);
  await put(`${key}.manifest.xml`, Buffer.from(xml));
  return `${bucket}/${key}.manifest.xml`;
}
