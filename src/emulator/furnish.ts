import { createHash } from "node:crypto";
import { regionOf } from "../util/region.ts";
import { amazonAccountId, builtInImage } from "./ec2/built-in-image.ts";
import type { Image } from "./ec2/records.ts";
import type { World } from "./world.ts";

/** What shall be there before anybody calls. */
export type Furniture = {
  readonly buckets: readonly { readonly name: string; readonly region: string }[];
  readonly images: readonly SourceImage[];
};

/** A source AMI; whatever it is called, its root is the host's base root. */
type SourceImage = {
  readonly region: string;
  /** Null: one is made up. */
  readonly id: string | null;
  /** May be a glob: an AMI is made that it matches, unless there is one. */
  readonly name: string;
  /** An account id, or an alias such as `amazon` or `self`. */
  readonly owner: string;
  readonly architecture: string;
  readonly virtualization: string;
};

/** Puts buckets (with ACLs on) and source AMIs in place; what is there already stays as it is. */
export async function furnish(world: World, furniture: Furniture): Promise<void> {
  for (const { name, region } of furniture.buckets) {
    const { partition } = regionOf(region);
    if (world.s3.bucket(partition, name)) continue;
    await world.s3.putBucket({
      name,
      partition,
      region,
      createdAt: new Date().toISOString(),
      ownership: "BucketOwnerPreferred",
      acl: "private",
    });
  }
  for (const wanted of furniture.images) {
    const { images } = world.ec2.region(wanted.region);
    const image = toImage(wanted, world.identity.accountId);
    const matches = globOf(wanted.name);
    const found = [...images.values()].some(
      (other) =>
        (wanted.id === null && other.ownerId === image.ownerId && matches.test(other.name)) ||
        other.id === image.id,
    );
    if (!found) images.set(image.id, image);
  }
  await world.ec2.save();
}

function toImage(
  { region, id, name, owner, architecture, virtualization }: SourceImage,
  self: string,
): Image {
  const base = builtInImage(region);
  const title = name.replaceAll("*", "2026.11").replaceAll("?", "0");
  const digest = createHash("sha256").update(`${region} ${title} ${owner}`).digest("hex");
  const isAlias = !/^\d{12}$/.test(owner);
  return {
    ...base,
    id: id ?? `ami-0${digest.slice(0, 16)}`,
    name: title,
    description: "Stands for the source AMI of a spec; its root is the emulator's",
    ownerId: owner === "self" ? self : isAlias ? amazonAccountId : owner,
    ownerAlias: isAlias && owner !== "self" ? owner : null,
    architecture,
    virtualization,
    kernelId: virtualization === "paravirtual" ? `aki-${digest.slice(0, 8)}` : null,
  };
}

/** EC2's wildcards: `*` for any text, `?` for one character. */
function globOf(name: string): RegExp {
  const escaped = name.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`);
}
