import type { Readable } from "node:stream";
import type { Launchers } from "./launchers.ts";
import type { Snapshots, VolumeRoot } from "./snapshots.ts";

/** The few things imgspec asks of a cloud, in its own words. Every call throws Problems with a hint, never SDK errors. */
export type Provider = Snapshots & {
  readonly region: string;
  caller(signal: AbortSignal): Promise<Caller>;
  /** The keys that the calls are signed with, for tools that must have them. */
  credentials(signal: AbortSignal): Promise<AwsKeys>;
  /** The regions of the partition that the account may use. */
  regions(signal: AbortSignal): Promise<readonly string[]>;
  findImages(query: ImageQuery, signal: AbortSignal): Promise<readonly Image[]>;
  /** Whom an image of one's own is shared with: account ids, `all`, ARNs of organisations and their units. */
  launchPermissions(image: string, signal: AbortSignal): Promise<readonly string[]>;
  /** The instances of these images that are not terminated. */
  instancesOf(images: readonly string[], signal: AbortSignal): Promise<readonly InstanceOf[]>;
  /** The default and latest versions of launch templates that name one of these images. */
  launchTemplatesOf(images: readonly string[], signal: AbortSignal): Promise<readonly LaunchTemplateOf[]>;
  /** Of these types, those that the region offers; a type that EC2 does not know is left out. */
  instanceTypes(names: readonly string[], signal: AbortSignal): Promise<readonly InstanceType[]>;

  importKeyPair(
    request: { name: string; publicKey: string; tags: Tags },
    signal: AbortSignal,
  ): Promise<{ id: string }>;
  deleteKeyPair(id: string, signal: AbortSignal): Promise<void>;
  createSecurityGroup(request: GroupRequest, signal: AbortSignal): Promise<{ id: string }>;
  deleteSecurityGroup(id: string, signal: AbortSignal): Promise<void>;
  launchInstance(request: LaunchRequest, signal: AbortSignal): Promise<{ id: string }>;
  /** Asks EC2 whether it would launch this, and launches nothing. */
  canLaunchInstance(request: LaunchRequest, signal: AbortSignal): Promise<void>;
  describeInstance(id: string, signal: AbortSignal): Promise<Instance>;
  consoleOutput(id: string, signal: AbortSignal): Promise<string>;
  /** Resolves when the instance is terminated. */
  terminateInstance(id: string, signal: AbortSignal): Promise<void>;

  bucket(name: string, signal: AbortSignal): Promise<Bucket>;
  /** Puts an empty object with this ACL and takes it back; says whether that was allowed. */
  probePut(where: ObjectName, acl: string, signal: AbortSignal): Promise<{ removed: boolean }>;
  headObject(where: ObjectName, signal: AbortSignal): Promise<StoredObject | null>;
  putObject(where: ObjectName, body: PutBody, signal: AbortSignal): Promise<void>;
  /**
   * A URL with which anybody may put these very bytes there for so long, and nothing else: S3 refuses others. Needs no
   * request.
   */
  presignPut(
    where: ObjectName,
    body: Omit<PutBody, "bytes" | "ifAbsent"> & { readonly sizeBytes: number },
    validSeconds: number,
    signal: AbortSignal,
  ): Promise<PresignedPut>;
  getObject(where: ObjectName, signal: AbortSignal): Promise<Readable>;
  deleteObject(where: ObjectName, signal: AbortSignal): Promise<void>;
  /**
   * Makes a bucket in the provider's region, with ACLs allowed: EC2 reads bundles by one. False: the caller has one of
   * this name here already.
   */
  createBucket(name: string, signal: AbortSignal): Promise<boolean>;
  /** An empty one; also one that is not there. */
  deleteBucket(name: string, signal: AbortSignal): Promise<void>;
  /** Every object whose key begins so, in the order of keys, however many. */
  listObjects(where: ObjectPrefix, signal: AbortSignal): AsyncIterable<ListedObject>;
  /** As many as there are, also those that are not there. Some may be gone when it rejects. */
  deleteObjects(bucket: string, keys: readonly string[], signal: AbortSignal): Promise<void>;
  /** Within S3, into a bucket of the provider's region; S3 reckons the SHA-1 of the copy. */
  copyObject(request: CopyRequest, signal: AbortSignal): Promise<void>;

  /** Those of the caller, or of this IAM user. */
  signingCertificates(user: string | null, signal: AbortSignal): Promise<readonly SigningCertificate[]>;
  uploadSigningCertificate(
    request: { user: string | null; certificate: string },
    signal: AbortSignal,
  ): Promise<SigningCertificate>;

  registerImage(request: RegisterRequest, signal: AbortSignal): Promise<{ id: string }>;
  deregisterImage(id: string, signal: AbortSignal): Promise<void>;
  /** Lets these launch the image, besides those who may already. */
  shareImage(id: string, launchers: Launchers, signal: AbortSignal): Promise<void>;
  deprecateImage(id: string, at: Date, signal: AbortSignal): Promise<void>;
  /** Until the protection is taken away, and with a cooldown for 24 hours more. */
  protectImage(id: string, cooldown: boolean, signal: AbortSignal): Promise<void>;
};

export type Tags = { readonly [key: string]: string };

export type AwsKeys = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary keys, as a role has them. */
  readonly sessionToken: string | null;
};

type Caller = { readonly account: string; readonly arn: string };

export type ImageQuery = {
  readonly ids?: readonly string[];
  readonly owners?: readonly string[];
  readonly filters?: { readonly [name: string]: readonly string[] };
  /** Also disabled ones, which nobody can launch until their owner enables them again. */
  readonly disabledToo?: boolean;
};

export type Image = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly state: string;
  readonly createdAt: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly rootDeviceType: string;
  readonly rootDeviceName: string;
  readonly location: string;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly enaSupport: boolean;
  readonly sriovNetSupport: string | null;
  /** `v2.0`: instances must use IMDSv2 unless their launch says otherwise. */
  readonly imdsSupport: string | null;
  /** Whether it cannot be deregistered now. */
  readonly isProtected: boolean;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
  readonly stateReason: string | null;
  readonly description: string | null;
  readonly tags: Tags;
};

export type InstanceOf = { readonly image: string; readonly id: string; readonly state: string };

export type LaunchTemplateOf = {
  readonly image: string;
  readonly id: string;
  readonly name: string;
  readonly version: number;
};

export type InstanceType = {
  readonly name: string;
  readonly rootDeviceTypes: readonly string[];
  readonly architectures: readonly string[];
  readonly virtualizations: readonly string[];
};

export type GroupRequest = {
  readonly name: string;
  readonly description: string;
  /** Taken from this subnet's VPC; null: the default VPC. */
  readonly subnet: string | null;
  readonly port: number;
  /** Ranges in CIDR notation, at least one. */
  readonly cidrs: readonly string[];
  readonly tags: Tags;
};

export type LaunchRequest = {
  readonly image: string;
  readonly instanceType: string;
  /** Null only in a dry run: nobody could log in. */
  readonly keyName: string | null;
  readonly securityGroups: readonly string[];
  readonly subnet: string | null;
  readonly iamInstanceProfile: string | null;
  readonly userData: string | null;
  readonly clientToken: string;
  /** Of the metadata service; the AMI's or account's own setting when absent. AMIs from before 2020 may only know `optional`. */
  readonly metadataTokens?: "required" | "optional";
  readonly tags: Tags;
};

export type Instance = {
  readonly id: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly publicAddress: string | null;
  readonly privateAddress: string | null;
  readonly zone: string;
};

export type Bucket = {
  readonly name: string;
  readonly region: string;
  /** BucketOwnerEnforced refuses every ACL, also aws-exec-read. Null: not allowed to ask. */
  readonly ownership: "BucketOwnerEnforced" | "BucketOwnerPreferred" | "ObjectWriter" | null;
};

export type ObjectName = { readonly bucket: string; readonly key: string };

type ObjectPrefix = { readonly bucket: string; readonly prefix: string };
export type ListedObject = { readonly key: string; readonly sizeBytes: number };
type CopyRequest = { readonly from: ObjectName; readonly to: ObjectName; readonly acl: string };

/** An X.509 certificate that IAM knows for a user. */
export type SigningCertificate = {
  readonly id: string;
  readonly user: string;
  readonly isActive: boolean;
  /** PEM. */
  readonly certificate: string;
};

/** `sha1` is null where the object was stored without that checksum. */
export type StoredObject = { readonly sizeBytes: number; readonly sha1: string | null };

export type PutBody = {
  readonly bytes: Uint8Array;
  /** Hex SHA-1 of the bytes, which S3 is made to check and keep. */
  readonly sha1: string;
  readonly contentType: string;
  readonly acl: string;
  /** Only if there is no object of this name; otherwise the Problem `bucket-unusable`. */
  readonly ifAbsent?: boolean;
};

/** As secret as a credential while it is valid. The headers must be sent as they are. */
export type PresignedPut = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};

type ImageRequest = {
  readonly name: string;
  readonly description: string | null;
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  /** Instances may have an Elastic Network Adapter; absent, as in the next two: no. */
  readonly enaSupport?: boolean;
  readonly sriovNetSupport?: boolean;
  /** Instances must use IMDSv2. */
  readonly imdsV2?: boolean;
  readonly blockDeviceMappings: readonly { readonly device: string; readonly virtual: string }[];
  readonly tags: Tags;
};

/** An image whose root is a bundle. */
export type BundleImageRequest = ImageRequest & {
  /** `bucket/key/name.manifest.xml` */
  readonly location: string;
};

/** An image whose root is a volume made of a snapshot. */
export type VolumeImageRequest = ImageRequest & { readonly root: VolumeRoot };

export type RegisterRequest = BundleImageRequest | VolumeImageRequest;
