import { posix } from "node:path";
import type { BundleKey } from "../../bundle/key.ts";
import type { Manifest } from "../../bundle/manifest.ts";
import type { OpenPart } from "../../bundle/part-source.ts";
import { readManifest } from "../../bundle/read-manifest.ts";
import { unwrapKey } from "../../bundle/wrap.ts";
import { Problem } from "../../problem.ts";
import { type CertificateVariant, regionOf } from "../../util/region.ts";
import { readText } from "../body.ts";
import { AwsFault } from "../fault.ts";
import type { Identity } from "../identity.ts";
import { isReadableByEc2 } from "../s3/bucket.ts";
import type { StoredObject } from "../s3/object.ts";
import type { S3Store } from "../s3/store.ts";
import { childOf, readXml, textOf, type XmlElement } from "../xml-reading.ts";

/** A bundle that EC2 can open: what says it, the key, and the parts. */
export type OpenedBundle = {
  readonly manifest: Manifest;
  readonly key: BundleKey;
  readonly openPart: OpenPart;
};

export type BundleSource = {
  readonly s3: S3Store;
  readonly ec2Keys: Identity["ec2Keys"];
  readonly region: string;
  /** `bucket/key/name.manifest.xml` */
  readonly location: string;
};

const maxManifestBytes = 10 * 1024 * 1024;

/**
 * Opens a bundle as EC2 does: reads the manifest from S3 with EC2's own permission, and unwraps the key with the
 * private key of this region. What EC2 would not take is the fault InvalidManifest.
 */
export async function openBundle(source: BundleSource): Promise<OpenedBundle> {
  const text = await readManifestText(source);
  checkElements(text);
  const manifest = refusing(() => readManifest(text));
  const key = refusing(() =>
    unwrapKey(manifest.image.ec2, source.ec2Keys[variantOf(source.region)].privateKey),
  );
  const prefix = posix.dirname(source.location);
  return { manifest, key, openPart: ({ fileName }) => readAsEc2(source, `${prefix}/${fileName}`) };
}

/** The key of the partition; EC2 has published none for its newer regions, which are taken to share it. */
function variantOf(region: string): CertificateVariant {
  const variants = { aws: "commercial", "aws-cn": "cn-north-1", "aws-us-gov": "gov" } as const;
  return variants[regionOf(region).partition];
}

async function readManifestText(source: BundleSource): Promise<string> {
  try {
    return (await readText(readAsEc2(source, source.location), maxManifestBytes)).toString("utf8");
  } catch (error) {
    throw error instanceof AwsFault && error.code === "RequestEntityTooLarge"
      ? invalid("The manifest is too large")
      : error;
  }
}

/** EC2 is another account to S3: only an ACL lets it read. */
function readAsEc2(source: BundleSource, location: string): AsyncIterable<Uint8Array> {
  const { s3, region } = source;
  const slash = location.indexOf("/");
  const bucket = s3.bucket(regionOf(region).partition, location.slice(0, slash));
  if (!bucket) throw refusedUrl(region, location, 404);
  if (bucket.region !== region) throw refusedUrl(region, location, 301);
  const object: StoredObject | undefined = s3.object(bucket, location.slice(slash + 1));
  // Without the right to list, S3 would say 403 for both; EC2's own reports tell them apart.
  if (!object) throw refusedUrl(region, location, 404);
  if (!isReadableByEc2(object.acl)) throw refusedUrl(region, location, 403);
  return s3.read(bucket, object);
}

const reasons = { 301: "Moved Permanently", 403: "Forbidden", 404: "Not Found" } as const;

function refusedUrl(region: string, location: string, status: keyof typeof reasons): AwsFault {
  const { dnsSuffix } = regionOf(region);
  const host = region === "us-east-1" ? "s3.amazonaws.com" : `s3.${region}.${dnsSuffix}`;
  return invalid(`HTTP ${status} (${reasons[status]}) response for URL http://${host}:80/${location}`);
}

/** What EC2 wants to be there, whatever it says (bundle-format notes, section 15). */
function checkElements(text: string): void {
  const manifest = readXml(text);
  if (manifest?.name !== "manifest") throw invalid("The manifest is not well-formed XML");
  const image = childOf(manifest, "image");
  for (const name of ["user_encrypted_key", "user_encrypted_iv", "ec2_encrypted_key", "ec2_encrypted_iv"]) {
    if (!childOf(image, name)) throw invalid(`The manifest has no element ${name}`);
  }
  if (!childOf(manifest, "signature")) throw invalid("The manifest has no element signature");
  if (textOf(manifest, "signature") === "")
    throw new AwsFault("InternalError", "An internal error has occurred");
  checkTypePlace(image);
}

function checkTypePlace(image: XmlElement | undefined): void {
  const names = image?.children.map(({ name }) => name) ?? [];
  const at = names.indexOf("type");
  if (at >= 0 && names[at - 1] !== "user") throw invalid("The element type must come directly after user");
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw toInvalidManifest(error);
  }
}

/** A bundle's problem as EC2 tells it; anything else as it is. */
export function toInvalidManifest(error: unknown): unknown {
  return error instanceof Problem && error.code === "bundle-invalid" ? invalid(error.message) : error;
}

/** EC2's one code for every bundle that it does not take. */
export function invalid(message: string): AwsFault {
  return new AwsFault("InvalidManifest", message);
}
