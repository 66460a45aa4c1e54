import type { Json } from "../util/json.ts";

/** The AMI that the build began with. */
export type SourceResult = { readonly imageId: string; readonly name: string | null };

export type LaunchResult = { readonly instanceId: string; readonly instanceType: string | null };

export type BundleResult = {
  readonly name: string | null;
  /** Hex SHA-1 of the tar stream, as the manifest has it. */
  readonly digest: string | null;
  readonly imageSha256: string | null;
  readonly sizeBytes: number | null;
  readonly bundledSizeBytes: number | null;
  readonly partCount: number | null;
  readonly architecture: string | null;
  readonly virtualization: string | null;
  /** Whose key opens it: a variant's name, or the path of a certificate. */
  readonly ec2Key: string | null;
  /** Keys, credentials and traces that were found on the instance, and what was done with them. */
  readonly hygiene: readonly { readonly class: string; readonly path: string; readonly action: string }[];
};

export type UploadResult = {
  readonly bucket: string;
  readonly manifestKey: string | null;
  /** `bucket/key` of the manifest. */
  readonly location: string | null;
};

/** What the boot gate saw. */
export type BootResult = { readonly instanceId: string; readonly testCount: number | null };

/** What was said of the AMI to others. */
export type PublishResult = {
  /** Account ids, ARNs of organizations and organizational units, and `all`. */
  readonly sharedWith: readonly string[];
  /** ISO 8601. */
  readonly deprecatedAt: string | null;
  readonly deregistrationProtection: string | null;
};

export type RegisteredResult = { readonly imageId: string; readonly name: string | null };

/** Of the output of `<region>/preflight`. */
export function toSource(output: Json): SourceResult | null {
  const source = field(output, "source");
  const imageId = text(source, "id");
  return imageId === null ? null : { imageId, name: text(source, "name") };
}

/** Of the output of `<region>/launch`. */
export function toLaunch(output: Json): LaunchResult | null {
  const instanceId = text(output, "instanceId");
  return instanceId === null ? null : { instanceId, instanceType: text(output, "instanceType") };
}

/** Of the output of `<region>/bundle`. */
export function toBundle(output: Json): BundleResult | null {
  if (!isObject(output)) return null;
  const parts = field(output, "parts");
  return {
    name: text(output, "name"),
    digest: text(output, "digest"),
    imageSha256: text(output, "imageSha256"),
    sizeBytes: count(output, "sizeBytes"),
    bundledSizeBytes: count(output, "bundledSizeBytes"),
    partCount: Array.isArray(parts) ? parts.length : null,
    architecture: text(output, "architecture"),
    virtualization: text(output, "virtualization"),
    ec2Key: text(output, "ec2Key"),
    hygiene: toFindings(field(output, "hygiene")),
  };
}

function toFindings(value: Json): BundleResult["hygiene"] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((finding: Json) => {
    const [name, path, action] = [text(finding, "class"), text(finding, "path"), text(finding, "action")];
    return name === null || path === null || action === null ? [] : [{ class: name, path, action }];
  });
}

/** Of the output of `<region>/upload`. */
export function toUpload(output: Json): UploadResult | null {
  const bucket = text(output, "bucket");
  if (bucket === null) return null;
  const manifestKey = text(field(output, "manifest"), "key");
  return { bucket, manifestKey, location: text(output, "location") };
}

/** Of the output of `<region>/boot`. */
export function toBoot(output: Json): BootResult | null {
  const instanceId = text(output, "instanceId");
  return instanceId === null ? null : { instanceId, testCount: count(output, "testCount") };
}

/** Of the output of `<region>/publish`. */
export function toPublished(output: Json): PublishResult | null {
  if (!isObject(output)) return null;
  const share = field(output, "sharedWith");
  const listed = ["accounts", "organizations", "organizationalUnits"].flatMap((key) => {
    const list = field(share, key);
    return Array.isArray(list) ? list.filter((one: Json): one is string => typeof one === "string") : [];
  });
  return {
    sharedWith: field(share, "public") === true ? [...listed, "all"] : listed,
    deprecatedAt: text(output, "deprecatedAt"),
    deregistrationProtection: text(output, "deregistrationProtection"),
  };
}

/** Of the output of `<region>/register`. */
export function toRegistered(output: Json): RegisteredResult | null {
  const imageId = text(output, "imageId");
  return imageId === null ? null : { imageId, name: text(output, "name") };
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function field(value: Json, key: string): Json {
  return isObject(value) ? (value[key] ?? null) : null;
}

function text(value: Json, key: string): string | null {
  const found = field(value, key);
  return typeof found === "string" ? found : null;
}

function count(value: Json, key: string): number | null {
  const found = field(value, key);
  return typeof found === "number" ? found : null;
}
