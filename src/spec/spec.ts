import type { Region } from "../util/region.ts";
import type { AnsibleStep } from "./ansible.ts";
import type { PluginStep } from "./plugins/steps.ts";
import type { ProgramStep } from "./program-step.ts";
import type { PublishSpec, RegisterSpec } from "./register.ts";
import type { BuiltInStep, StepBase } from "./steps.ts";

/** A spec with nothing left open: defaults filled in, expressions evaluated, one image a region. */
export type Spec = {
  readonly name: string;
  /** The file as the user named it. */
  readonly path: string;
  /** Absolute; what relative paths in the spec are relative to. */
  readonly directory: string;
  readonly images: readonly ImageSpec[];
  /** Values of sensitive variables as they are used, by the name in a `SecretRef`. Never in a plan, journal or event. */
  readonly secrets: ReadonlyMap<string, string>;
};

/** Stands in for a value that must not be seen; the run looks it up in `Spec.secrets`. */
type SecretRef = { readonly $secret: string };

export type ImageSpec = {
  readonly name: string;
  readonly region: Region;
  /** Tells the images of one region apart, where there are several: `x86_64-web`. */
  readonly variant: string | null;
  /** AWS profile for this region's account; null: the default credential chain. */
  readonly profile: string | null;
  readonly source: SourceSpec;
  readonly launch: LaunchSpec;
  readonly connect: ConnectSpec;
  readonly provision: readonly ProvisionStep[];
  readonly bundle: BundleSpec | AmiToolsSpec;
  readonly certificate: CertificateSpec;
  readonly upload: UploadSpec;
  readonly register: RegisterSpec;
  /** Null: the AMI is kept once it is registered. */
  readonly verify: BootGateSpec | null;
  /** Null: nothing. */
  readonly publish: PublishSpec | null;
};

type Architecture = "i386" | "x86_64";
type Virtualization = "hvm" | "paravirtual";

export type SourceSpec =
  | { readonly kind: "image"; readonly image: string }
  | {
      readonly kind: "find";
      /** Glob over the AMI's name. */
      readonly name: string | null;
      /** Account ids, `self`, `amazon`, `aws-marketplace`; at least one. */
      readonly owners: readonly string[];
      readonly architecture: Architecture | null;
      readonly virtualization: Virtualization | null;
      /** Take the newest of several; otherwise more than one match is an error. */
      readonly newest: boolean;
      /** Any other DescribeImages filters. */
      readonly filters: { readonly [name: string]: readonly string[] };
    };

type LaunchSpec = {
  readonly method: "ec2";
  /** A ladder: the next is tried when EC2 has no room for one. */
  readonly instanceTypes: readonly string[];
  /** An existing one of EC2's; null: a temporary one, or none. */
  readonly keyPair: string | null;
  readonly subnet: string | null;
  /** Empty: a temporary group. */
  readonly securityGroups: readonly string[];
  /** CIDR ranges that the temporary group lets in; empty: only the caller's address. */
  readonly allowFrom: readonly string[];
  readonly iamInstanceProfile: string | null;
  readonly userData: string | null;
  /** Of the metadata service; null: the AMI's or the account's own setting. */
  readonly metadataTokens: "required" | "optional" | null;
  readonly tags: { readonly [key: string]: string };
  readonly timeoutSeconds: number;
};

type ConnectSpec = {
  readonly user: string;
  readonly port: number;
  readonly address: "public" | "private";
  /** The only host key to accept, as a public key line; or how one becomes trusted: auto, console, first-use. */
  readonly hostKey: string;
  readonly timeoutSeconds: number;
  /** Absolute path of the user's own private key; null: a pair is made for the run, unless the agent has one. */
  readonly privateKey: string | null;
  readonly agent: boolean;
  readonly password: SecretRef | null;
  readonly sudoPassword: SecretRef | null;
  readonly proxy: {
    readonly url: string;
    readonly user: string | null;
    readonly password: SecretRef | null;
  } | null;
  /** The nearest first. */
  readonly bastions: readonly BastionSpec[];
};

type BastionSpec = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absolute; null: the agent has it. */
  readonly privateKey: string | null;
  readonly hostKey: string;
};

export type Environment = { readonly [name: string]: string | SecretRef };

export type ShellStep = StepBase & {
  readonly kind: "shell";
  /** Either an absolute path of a file, or the text itself. */
  readonly script: { readonly path: string } | { readonly inline: string };
  readonly env: Environment;
  readonly sudo: boolean;
  /** Remote directory; null: the user's home. */
  readonly workdir: string | null;
  /** Exit codes that count as success. */
  readonly exitCodes: readonly number[];
};

type UploadStep = StepBase & {
  readonly kind: "upload";
  /** Absolute local path of a file or directory. */
  readonly from: string;
  readonly to: string;
  /** Octal digits such as "0755"; null: as the local file's. */
  readonly mode: string | null;
  readonly sudo: boolean;
};

type DownloadStep = StepBase & {
  readonly kind: "download";
  readonly from: string;
  readonly to: string;
};

type LocalStep = StepBase & {
  readonly kind: "local";
  /** A command line for /bin/sh on the builder. */
  readonly command: string;
  readonly env: Environment;
  /** Absolute; by default the spec's directory. */
  readonly workdir: string;
};

export type ProvisionStep =
  | ShellStep
  | UploadStep
  | DownloadStep
  | LocalStep
  | ProgramStep
  | BuiltInStep
  | AnsibleStep
  | PluginStep;

type BundleSpec = {
  readonly method: "native";
  /** `auto`: on the instance, if that can. */
  readonly at: "auto" | "instance" | "builder";
  /** Name of the bundle: of the tar member, the parts and the manifest. */
  readonly name: string;
  readonly image: VolumeCopySpec;
  /** What happens when the instance lacks something that the image takes. */
  readonly needs: "refuse" | "warn";
  /** Deflate level 1 to 9; null: what suits the place. */
  readonly compression: number | null;
};

/** What of the instance's root volume gets into the image, and how. */
type VolumeCopySpec = {
  /** Auto: what the instance's disk has; none: a bare file system. */
  readonly partition: "auto" | "gpt" | "mbr" | "none";
  /** Size of the whole image, MiB; null: what the files need and some room. At most 10240. */
  readonly sizeMib: number | null;
  /** Absolute globs; a directory that matches keeps itself and loses its contents. */
  readonly exclude: readonly string[];
  /** Absolute globs that let back in what is excluded. */
  readonly include: readonly string[];
  /** A path is absolute. */
  readonly fstab: "keep" | "generate" | { readonly path: string };
  /** By class of findings. */
  readonly hygiene: { readonly [name: string]: "scrub" | "refuse" | "keep" };
  /** Absolute globs of what hygiene lets pass. */
  readonly allow: readonly string[];
  /** Absolute path of a script that runs just before the image is made. */
  readonly script: string | null;
};

/** Amazon's own tools do it, on the instance. */
type AmiToolsSpec = {
  readonly method: "ami-tools";
  readonly name: string;
  readonly sizeMib: number | null;
  /** Absolute paths. */
  readonly exclude: readonly string[];
  /** Null: as the tool finds the disk. */
  readonly partition: "gpt" | "mbr" | "none" | null;
  readonly install: "auto" | "none" | "provision";
  readonly installCommands: string | null;
  readonly destination: string | null;
  readonly inherit: boolean;
  readonly credentials: "instance-profile" | "builder";
  readonly bundleArguments: readonly string[];
  readonly uploadArguments: readonly string[];
  /** Shell text with placeholders (util/placeholders.ts). */
  readonly bundleCommand: string;
  readonly uploadCommand: string;
};

export type CertificateSpec = {
  /** A variant, or the absolute path of a certificate; null: the region's. */
  readonly ec2: "commercial" | "cn-north-1" | "gov" | { readonly path: string } | null;
  /** Goes on when `ec2` is not the key that the region is known to use. */
  readonly allowMismatch: boolean;
  /** Absolute paths of the user's certificate and RSA key; null: a pair made for this run. */
  readonly user: { readonly certificate: string; readonly privateKey: string } | null;
};

type UploadSpec = {
  readonly method: "s3";
  readonly bucket: string;
  /** Key prefix without slashes at its ends; may be empty. */
  readonly prefix: string;
  readonly acl: "aws-exec-read" | "public-read" | "ec2-bundle-read";
  /** Parts in flight at once. */
  readonly concurrency: number;
};

/** What the new AMI must show before it is kept. */
type BootGateSpec = {
  /** A regular expression (flags `mu`) that its console output must match; null: logging in is enough. */
  readonly console: string | null;
  readonly tests: readonly ShellStep[];
  /** For the console pattern, and for SSH. */
  readonly timeoutSeconds: number;
  readonly launch: Pick<LaunchSpec, "instanceTypes" | "iamInstanceProfile" | "userData">;
};
