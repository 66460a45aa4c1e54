import type { WrittenImage } from "./image.gen.ts";

export type RegisterSpec = {
  readonly method: "instance-store";
  readonly name: string;
  readonly description: string | null;
  /** Null: as the source AMI's. */
  readonly architecture: "i386" | "x86_64" | null;
  readonly virtualization: "hvm" | "paravirtual" | null;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly enaSupport: boolean | null;
  readonly sriovNetSupport: "simple" | "none" | null;
  readonly metadataTokens: "required" | "optional" | null;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
  readonly tags: { readonly [key: string]: string };
};

/** What is done with an AMI that is proven. */
export type PublishSpec = {
  readonly share: {
    /** Account ids. */
    readonly accounts: readonly string[];
    /** ARNs, like the next. */
    readonly organizations: readonly string[];
    readonly organizationalUnits: readonly string[];
    readonly public: boolean;
  };
  /** Days after the build (`180d`), or a date or time in UTC, ISO 8601; null: never. */
  readonly deprecate: string | null;
  readonly deregistrationProtection: "enabled-without-cooldown" | "enabled-with-cooldown" | null;
};

/** Null when it says nothing. */
export function toPublish(written: WrittenImage["publish"]): PublishSpec | null {
  const { share, deprecate, deregistrationProtection } = written;
  const { accounts, organizations, organizationalUnits } = share;
  const isShared =
    share.public || [accounts, organizations, organizationalUnits].some(({ length }) => length > 0);
  return isShared || deprecate !== null || deregistrationProtection !== null ? written : null;
}
