import { createPublicKey } from "node:crypto";
import { Problem } from "../problem.ts";
import { currentVersion, type MachineConfiguration, type Manifest } from "./manifest.ts";
import { toPrivateKey } from "./pem.ts";
import { readManifest } from "./read-manifest.ts";
import { checkSignature, toSignedManifestXml } from "./signature.ts";
import { unwrapKey, wrapKey } from "./wrap.ts";

/** What becomes of a kernel or ramdisk id, which is good in one region only. */
export type Fate = "keep" | "drop" | { readonly id: string };

/** How a manifest is made fit for another EC2. */
export type MigrateOptions = {
  /** PEM of the key that the bundle was made with: unwraps its key, and signs. */
  readonly privateKey: string;
  /** PEM of the certificate or public key of the EC2 that shall open it. */
  readonly ec2Key: string;
  /** Needed where the manifest has one. */
  readonly kernel?: Fate | undefined;
  readonly ramdisk?: Fate | undefined;
  /** The account that will own the image, twelve digits; absent: as before. */
  readonly account?: string | undefined;
  /** Also a manifest whose signature does not fit, such as one that was edited by hand. */
  readonly anySignature?: boolean | undefined;
};

/**
 * The manifest of the same bundle for another EC2: its key wrapped for that EC2's key, signed anew, all else as it was.
 * Manifests of older versions become 2007-10-10. The parts serve as they are. Throws `bundle-invalid` for a signature
 * that does not fit and for a key that does not open the bundle, `usage-wrong` where a kernel's fate is not told.
 */
export function migrateManifest(text: string, options: MigrateOptions): string {
  const { privateKey, ec2Key, account } = options;
  const before = readManifest(text);
  expectSignature(text, options);
  const key = unwrapKey(before.image.owner, privateKey);
  const after: Manifest = {
    ...before,
    version: currentVersion,
    machine: toMachine(before.machine, options),
    image: {
      ...before.image,
      user: account ?? before.image.user,
      type: before.image.type ?? "machine",
      ec2: wrapKey(key, ec2Key),
    },
  };
  return toSignedManifestXml(after, privateKey);
}

function expectSignature(text: string, { privateKey, anySignature = false }: MigrateOptions): void {
  if (anySignature) return;
  const own = createPublicKey(toPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
  if (checkSignature(text, own.toString()) !== "none") return;
  throw new Problem("bundle-invalid", "the manifest was not signed with this private key, or was changed", {
    hint: "when you know what was changed and by whom, sign it all the same with --resign",
  });
}

/** Version 3 knew nothing but i386. */
function toMachine(machine: MachineConfiguration | null, options: MigrateOptions): MachineConfiguration {
  const before = machine ?? {
    architecture: "i386",
    blockDeviceMapping: [],
    kernel: null,
    ramdisk: null,
    productCodes: [],
  };
  return {
    ...before,
    kernel: toId("kernel", before.kernel, options.kernel),
    ramdisk: toId("ramdisk", before.ramdisk, options.ramdisk),
  };
}

function toId(what: "kernel" | "ramdisk", id: string | null, fate: Fate | undefined): string | null {
  if (typeof fate === "object") return fate.id;
  if (id === null || fate === "drop") return null;
  if (fate === "keep") return id;
  throw new Problem("usage-wrong", `the manifest names the ${what} ${id}, which is of one region only`, {
    hint: `say what becomes of it: --${what} ID of the new region, --${what} keep, or --${what} drop`,
  });
}
