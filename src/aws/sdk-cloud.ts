import type { Link } from "./client.ts";
import type { Account, Cloud, CloudOptions } from "./cloud.ts";
import { Fresh } from "./fresh.ts";
import { defaultPatience, type Patience } from "./patience.ts";
import type { Provider } from "./provider.ts";

/**
 * The cloud behind the SDK. Nothing of the SDK is loaded, and no credential looked for, before a provider is first
 * asked for something.
 */
export function toCloud(options: CloudOptions, patience: Patience = defaultPatience): Cloud {
  const providers = new Map<string, Provider>();
  return {
    options,
    account: (account) => {
      const key = JSON.stringify([account.region, account.profile]);
      const provider = providers.get(key) ?? toProvider(account, options, patience);
      providers.set(key, provider);
      return provider;
    },
  };
}

function toProvider(account: Account, options: CloudOptions, patience: Patience): Provider {
  const base = { account, patience, identity: {} } satisfies Partial<Link>;
  const fresh = new Fresh(patience);
  const ec2 = once(async () => (await import("./ec2.ts")).toEc2(base, options, fresh));
  const ebs = once(async () => (await import("./ebs.ts")).toEbs(base, options, fresh));
  const s3 = once(async () => (await import("./s3.ts")).toS3(base, options));
  const sts = once(async () => (await import("./identity.ts")).toIdentity(base, options));
  const iam = once(async () => (await import("./signing-certificates.ts")).toSigning(base, options));
  return {
    region: account.region,
    caller: async (...args) => (await sts()).caller(...args),
    credentials: async (...args) => (await sts()).credentials(...args),
    regions: async (...args) => (await ec2()).regions(...args),
    launchPermissions: async (...args) => (await ec2()).launchPermissions(...args),
    instancesOf: async (...args) => (await ec2()).instancesOf(...args),
    launchTemplatesOf: async (...args) => (await ec2()).launchTemplatesOf(...args),
    findImages: async (...args) => (await ec2()).findImages(...args),
    registerImage: async (...args) => (await ec2()).registerImage(...args),
    deregisterImage: async (...args) => (await ec2()).deregisterImage(...args),
    shareImage: async (...args) => (await ec2()).shareImage(...args),
    deprecateImage: async (...args) => (await ec2()).deprecateImage(...args),
    protectImage: async (...args) => (await ec2()).protectImage(...args),
    instanceTypes: async (...args) => (await ec2()).instanceTypes(...args),
    importKeyPair: async (...args) => (await ec2()).importKeyPair(...args),
    deleteKeyPair: async (...args) => (await ec2()).deleteKeyPair(...args),
    createSecurityGroup: async (...args) => (await ec2()).createSecurityGroup(...args),
    deleteSecurityGroup: async (...args) => (await ec2()).deleteSecurityGroup(...args),
    launchInstance: async (...args) => (await ec2()).launchInstance(...args),
    canLaunchInstance: async (...args) => (await ec2()).canLaunchInstance(...args),
    describeInstance: async (...args) => (await ec2()).describeInstance(...args),
    consoleOutput: async (...args) => (await ec2()).consoleOutput(...args),
    terminateInstance: async (...args) => (await ec2()).terminateInstance(...args),
    startSnapshot: async (...args) => (await ebs()).startSnapshot(...args),
    putSnapshotBlock: async (...args) => (await ebs()).putSnapshotBlock(...args),
    completeSnapshot: async (...args) => (await ebs()).completeSnapshot(...args),
    findSnapshot: async (...args) => (await ec2()).findSnapshot(...args),
    deleteSnapshot: async (...args) => (await ec2()).deleteSnapshot(...args),
    bucket: async (...args) => (await s3()).bucket(...args),
    probePut: async (...args) => (await s3()).probePut(...args),
    headObject: async (...args) => (await s3()).headObject(...args),
    putObject: async (...args) => (await s3()).putObject(...args),
    presignPut: async (...args) => (await s3()).presignPut(...args),
    getObject: async (...args) => (await s3()).getObject(...args),
    deleteObject: async (...args) => (await s3()).deleteObject(...args),
    createBucket: async (...args) => (await s3()).createBucket(...args),
    deleteBucket: async (...args) => (await s3()).deleteBucket(...args),
    async *listObjects(...args) {
      yield* (await s3()).listObjects(...args);
    },
    deleteObjects: async (...args) => (await s3()).deleteObjects(...args),
    copyObject: async (...args) => (await s3()).copyObject(...args),
    signingCertificates: async (...args) => (await iam()).signingCertificates(...args),
    uploadSigningCertificate: async (...args) => (await iam()).uploadSigningCertificate(...args),
  };
}

/** The first answer, for ever; a failure is not kept. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
