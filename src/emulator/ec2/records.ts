import type { Tags } from "./tags.ts";

export type KeyPair = {
  readonly id: string;
  readonly name: string;
  readonly type: "rsa" | "ed25519";
  readonly fingerprint: string;
  /** An OpenSSH public key line. */
  readonly publicKey: string;
  readonly createdAt: string;
  readonly tags: Tags;
};

export type SecurityGroup = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly ingress: readonly IngressRule[];
  readonly tags: Tags;
};

export type IngressRule = {
  readonly id: string;
  /** tcp, udp, icmp or -1 for all. */
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly cidr: string;
  readonly description: string | null;
};

/** One of these names whom it lets launch an image. */
export type LaunchPermission = {
  readonly userId?: string;
  readonly group?: string;
  readonly organizationArn?: string;
  readonly organizationalUnitArn?: string;
};

export type Image = {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly location: string;
  /** False: there is no bundle, its root is the host's own. */
  readonly isBundled: boolean;
  readonly ownerId: string;
  readonly ownerAlias: string | null;
  readonly createdAt: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernelId: string | null;
  readonly ramdiskId: string | null;
  readonly rootDeviceName: string;
  readonly mappings: readonly { readonly device: string; readonly virtual: string }[];
  /** What its root is made of; absent: of a bundle, or of the host's own root. */
  readonly volume?: VolumeOfImage;
  readonly sriovNetSupport: string | null;
  readonly enaSupport: boolean;
  readonly launchPermissions: readonly LaunchPermission[];
  /** `v2.0`, or nothing. */
  readonly imdsSupport: string | null;
  /** ISO 8601. */
  readonly deprecatedAt: string | null;
  readonly protection: { readonly cooldown: boolean; readonly disabledAt: string | null } | null;
  readonly tags: Tags;
};

type VolumeOfImage = {
  readonly snapshotId: string;
  readonly sizeGiB: number;
  readonly type: string;
  readonly isDeletedWithInstance: boolean;
  readonly isEncrypted: boolean;
};

export type Snapshot = {
  readonly id: string;
  /** As it is kept; `snapshotStateOf` says what it has become. */
  readonly state: "pending" | "completed" | "error";
  /** Why it is, or is about to be, in error. */
  readonly stateMessage: string | null;
  /** When CompleteSnapshot was called. */
  readonly sealedAt: string | null;
  readonly startedAt: string;
  readonly volumeSizeGiB: number;
  readonly description: string | null;
  readonly isEncrypted: boolean;
  readonly kmsKey: string | null;
  readonly clientToken: string | null;
  /** Of what the client token was used for. */
  readonly requestDigest: string;
  readonly tags: Tags;
};

export type InstanceState = "pending" | "running" | "shutting-down" | "terminated";

export type Instance = {
  readonly id: string;
  readonly reservationId: string;
  readonly launchIndex: number;
  readonly imageId: string;
  readonly type: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernelId: string | null;
  readonly ramdiskId: string | null;
  readonly rootDeviceName: string;
  /** Absent: instance-store. */
  readonly rootDeviceType?: "ebs" | "instance-store";
  readonly keyName: string | null;
  readonly groupIds: readonly string[];
  readonly zone: string;
  readonly subnetId: string;
  readonly vpcId: string;
  readonly state: InstanceState;
  readonly stateReason: { readonly code: string; readonly message: string } | null;
  readonly publicAddress: string | null;
  readonly privateAddress: string;
  readonly launchedAt: string;
  readonly clientToken: string;
  readonly userData: string | null;
  readonly iamInstanceProfile: string | null;
  readonly metadataTokens: "required" | "optional";
  /** What it said on its console up to its end, kept for an hour as EC2 does. */
  readonly console: string;
  readonly tags: Tags;
};

export type LaunchTemplate = {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly defaultVersion: number;
  /** The oldest first. */
  readonly versions: readonly LaunchTemplateVersion[];
  readonly tags: Tags;
};

export type LaunchTemplateVersion = {
  readonly number: number;
  readonly createdAt: string;
  readonly imageId: string | null;
  readonly instanceType: string | null;
  readonly keyName: string | null;
  readonly userData: string | null;
};

/** What a client token was used for; the same token may only ask for the same again. */
export type TokenUse = { readonly token: string; readonly digest: string; readonly reservationId: string };
