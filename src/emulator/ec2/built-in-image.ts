import { createHash } from "node:crypto";
import type { Image } from "./records.ts";

/** The account that owns the built-in image; the owner alias `amazon` stands for it. */
export const amazonAccountId = "137112412989";

/** The source image that every region has from the start; found by the name `imgspec-sandbox-linux-*`. */
export function builtInImage(region: string): Image {
  const digest = createHash("sha256").update(`image in ${region}`).digest("hex");
  const name = "imgspec-sandbox-linux-2026.11-x86_64-s3";
  return {
    id: `ami-0${digest.slice(0, 16)}`,
    name,
    description: "A minimal Linux made from the machine that emulates it",
    location: `imgspec-sandbox-${region}/${name}.manifest.xml`,
    isBundled: false,
    ownerId: amazonAccountId,
    ownerAlias: "amazon",
    createdAt: "2026-11-01T00:00:00.000Z",
    architecture: "x86_64",
    virtualization: "hvm",
    kernelId: null,
    ramdiskId: null,
    rootDeviceName: "/dev/sda1",
    mappings: [],
    sriovNetSupport: null,
    enaSupport: false,
    launchPermissions: [{ group: "all" }],
    imdsSupport: null,
    deprecatedAt: null,
    protection: null,
    tags: {},
  };
}
