import type { InstanceFacts } from "../instance-host.ts";

/** A directory of the metadata service, or what a name in it answers. */
export type Metadata = { readonly [name: string]: string | Metadata };

export type MetadataSource = {
  readonly instanceId: string;
  readonly hostname: string;
  readonly authorizedKeys: readonly string[];
  readonly facts: InstanceFacts;
};

/** What the metadata service tells an instance below `meta-data`, in EC2's names. */
export function toMetadata({ instanceId, hostname, authorizedKeys, facts }: MetadataSource): Metadata {
  const local = `${hostname}.${facts.region === "us-east-1" ? "ec2" : `${facts.region}.compute`}.internal`;
  const [key] = authorizedKeys;
  return {
    "ami-id": facts.imageId,
    "ami-launch-index": String(facts.launchIndex),
    "ami-manifest-path": facts.manifestPath,
    "block-device-mapping": toMappings(facts),
    hostname: local,
    "instance-action": "none",
    "instance-id": instanceId,
    "instance-life-cycle": "on-demand",
    "instance-type": facts.instanceType,
    ...(facts.kernelId === null ? {} : { "kernel-id": facts.kernelId }),
    "local-hostname": local,
    "local-ipv4": facts.privateAddress,
    placement: { "availability-zone": facts.zone, region: facts.region },
    profile: `default-${facts.virtualization}`,
    ...(facts.publicAddress === null ? {} : { "public-ipv4": facts.publicAddress }),
    ...(key === undefined ? {} : { "public-keys": { "0": { "openssh-key": `${key.trim()}\n` } } }),
    ...(facts.ramdiskId === null ? {} : { "ramdisk-id": facts.ramdiskId }),
    "reservation-id": facts.reservationId,
    "security-groups": facts.groupNames.join("\n"),
    services: { domain: "amazonaws.com", partition: toPartition(facts.region) },
  };
}

/** The document that instances show to prove what they are; unsigned here. */
export function toIdentityDocument({ instanceId, facts }: MetadataSource): string {
  const document = {
    accountId: facts.accountId,
    architecture: facts.architecture,
    availabilityZone: facts.zone,
    billingProducts: null,
    imageId: facts.imageId,
    instanceId,
    instanceType: facts.instanceType,
    kernelId: facts.kernelId,
    pendingTime: facts.launchedAt.replace(/\.\d+Z$/, "Z"),
    privateIp: facts.privateAddress,
    ramdiskId: facts.ramdiskId,
    region: facts.region,
    version: "2017-09-30",
  };
  return JSON.stringify(document, null, 2);
}

/** The listing of a directory, or the text of a name; `undefined` where there is nothing. */
export function readMetadata(
  metadata: Metadata,
  path: readonly string[],
  keyName: string,
): string | undefined {
  let at: string | Metadata | undefined = metadata;
  for (const name of path.filter((part) => part !== "")) {
    at = typeof at === "object" && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  if (at === undefined || typeof at === "string") return at;
  // The one listing that says more than names.
  if (path[0] === "public-keys" && path.filter((part) => part !== "").length === 1) return `0=${keyName}`;
  return Object.entries(at)
    .map(([name, value]) => (typeof value === "string" ? name : `${name}/`))
    .join("\n");
}

function toMappings({ mappings, rootDeviceName }: InstanceFacts): Metadata {
  const volumes = mappings.map(({ device, virtual }) => [virtual, device.replace(/^\/dev\//, "")]);
  return {
    ami: rootDeviceName.replace(/^\/dev\//, ""),
    ...Object.fromEntries(volumes),
    root: rootDeviceName,
  };
}

function toPartition(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}
