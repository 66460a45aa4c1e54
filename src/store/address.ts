import { Problem } from "../problem.ts";

/** A bucket, and what the keys of a bundle in it begin with: no slash at either end, empty for none. */
export type Place = { readonly bucket: string; readonly prefix: string };

/** One object of a bundle, and the place that it shares with the others. */
export type ManifestAddress = Place & { readonly fileName: string };

/** Whether somebody means S3 and not a file. */
export function isS3Url(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

/** Reads `bucket`, `bucket/prefix` and `s3://bucket/prefix`, as Amazon's tools do: slashes at the ends do not count. */
export function toPlace(text: string): Place {
  const [bucket = "", ...prefix] = text
    .replace(/^s3:\/\//i, "")
    .split("/")
    .filter((name) => name !== "");
  if (bucket !== "") return { bucket, prefix: prefix.join("/") };
  throw new Problem("usage-wrong", `"${text}" names no bucket`, { hint: "write it as BUCKET/PREFIX" });
}

/** Reads the URL of a manifest, `s3://bucket/prefix/name.manifest.xml`. */
export function toManifestAddress(url: string): ManifestAddress {
  const { bucket, prefix } = toPlace(url);
  const slash = prefix.lastIndexOf("/");
  const fileName = prefix.slice(slash + 1);
  if (fileName.endsWith(".xml")) return { bucket, prefix: prefix.slice(0, Math.max(0, slash)), fileName };
  throw new Problem("usage-wrong", `${url} is not the URL of a manifest`, {
    hint: "it ends in NAME.manifest.xml",
  });
}

/** The key of a file of the bundle. EC2 refuses doubled slashes. */
export function toKey({ prefix }: Place, fileName: string): string {
  return prefix === "" ? fileName : `${prefix}/${fileName}`;
}

/** For messages, and to be given back to us. */
export function toUrl({ bucket }: Place, key: string): string {
  return `s3://${bucket}/${key}`;
}
