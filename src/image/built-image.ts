import type { Account } from "../aws/cloud.ts";
import type { Image, Tags } from "../aws/provider.ts";

/** The tags by which an image is known again: what built it, and of which spec it is. */
export const runTag = "imgspec:run";
const specTag = "imgspec:spec";
const variantTag = "imgspec:variant";

/** The tags of an image that say of which spec it is; the tag of its run comes with the run. */
export function toSpecTags(spec: string, variant: string | null): Tags {
  return { [specTag]: spec, ...(variant === null ? {} : { [variantTag]: variant }) };
}

/** A registered image of the caller's, and where it is. */
export type BuiltImage = {
  readonly account: Account;
  readonly id: string;
  readonly name: string;
  /** The name of its spec; null: it was built before images carried it, or by something else. */
  readonly spec: string | null;
  readonly variant: string | null;
  /** Null: imgspec did not build it. */
  readonly run: string | null;
  readonly state: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly rootDeviceType: string;
  /** `bucket/key` of its manifest; empty where there is none. */
  readonly location: string;
  /** Whether it cannot be deregistered now. */
  readonly isProtected: boolean;
  readonly tags: Tags;
};

/** What EC2 tells of an image, with what its tags mean. */
export function toBuiltImage(account: Account, image: Image): BuiltImage {
  const { id, name, state, createdAt, architecture, virtualization, rootDeviceType, tags } = image;
  return {
    account,
    id,
    name,
    spec: tags[specTag] ?? null,
    variant: tags[variantTag] ?? null,
    run: tags[runTag] ?? null,
    state,
    createdAt,
    architecture,
    virtualization,
    rootDeviceType,
    // EC2 gives it as it was registered, and takes a slash before the bucket. Others have `account/name` there.
    location: rootDeviceType === "instance-store" ? image.location.replace(/^\//, "") : "",
    isProtected: image.isProtected,
    tags,
  };
}

/** Of two images the newer first; those of one moment by their ids, so that every run says the same. */
export function newestFirst(a: BuiltImage, b: BuiltImage): number {
  if (a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}
