import { createHash } from "node:crypto";
import type { BundleImageRequest, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { newBundleKey } from "../../src/bundle/key.ts";
import { pack, partName } from "../../src/bundle/pack.ts";
import { toManifest } from "../../src/bundle/to-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import type { CertificateVariant } from "../../src/util/region.ts";
import { createBucket, type TestCloud } from "./clouds.ts";

const signal = new AbortController().signal;
const user = newUserCertificate();

/** The id of an image of a small bundle, registered in us-east-1. */
export async function registered(
  cloud: Pick<TestCloud, "options">,
  change: Partial<BundleImageRequest> = {},
): Promise<string> {
  const provider = toCloud(cloud.options).account({ region: "us-east-1" });
  const request = await uploaded(cloud, provider, "commercial", change.name ?? "web");
  return (await provider.registerImage({ ...request, ...change }, signal)).id;
}

/** A small bundle in a bucket, wrapped for this key, and the request that registers it. */
export async function uploaded(
  cloud: Pick<TestCloud, "options">,
  provider: Provider,
  variant: CertificateVariant,
  name: string,
): Promise<BundleImageRequest> {
  const bucket = `${name}-${provider.region}`;
  await createBucket(cloud, bucket, provider.region);
  const put = (key: string, bytes: Uint8Array) => {
    const sha1 = createHash("sha1").update(bytes).digest("hex");
    const body = { bytes, sha1, contentType: "application/octet-stream", acl: "aws-exec-read" };
    return provider.putObject({ bucket, key }, body, signal);
  };

  const key = newBundleKey();
  const image = Buffer.alloc(1024 * 1024, "imgspec");
  const packed = await pack(chunksOf(image), {
    name,
    sizeBytes: image.byteLength,
    key,
    signal,
    onPart: ({ index, bytes }) => put(partName(name, index, 1), bytes),
  });
  const mappings = [{ device: "/dev/sdb", virtual: "ephemeral0" }];
  const { account } = await provider.caller(signal);
  const manifest = toManifest(packed, {
    name,
    account,
    architecture: "x86_64",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: mappings,
    key,
    ec2Key: cloud.options.ec2Certificates?.[variant] ?? ec2PublicKey(variant),
    userCertificate: (await user).certificate,
    userPrivateKey: (await user).privateKey,
  });
  await put(`${name}.manifest.xml`, Buffer.from(manifest));
  return {
    name,
    description: "a test",
    location: `${bucket}/${name}.manifest.xml`,
    architecture: "x86_64",
    virtualization: "hvm",
    kernel: null,
    ramdisk: null,
    blockDeviceMappings: mappings,
    tags: { "imgspec:run": "20261122-213330-k3v9" },
  };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
