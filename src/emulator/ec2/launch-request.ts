import { AwsFault } from "../fault.ts";
import type { Ec2Call } from "./ec2-call.ts";
import { groupById, groupByName } from "./groups.ts";
import { imageOf, isAvailable, rootDeviceTypeOf } from "./images.ts";
import { instanceTypes } from "./instance-types.ts";
import { defaultVpcOf, type Subnet } from "./network.ts";
import type { Params } from "./params.ts";
import type { Image, KeyPair } from "./records.ts";
import { readTagSpecifications, type Tags } from "./tags.ts";

/** What RunInstances asks for, checked. */
export type LaunchRequest = {
  readonly image: Image;
  readonly type: string;
  readonly count: number;
  readonly keyPair: KeyPair | null;
  readonly groupIds: readonly string[];
  readonly subnet: Subnet;
  readonly isPublic: boolean;
  readonly userData: string | null;
  readonly iamInstanceProfile: string | null;
  readonly metadataTokens: "required" | "optional";
  readonly tags: Tags;
};

const maxUserDataBytes = 16 * 1024;

/** Reads and checks a RunInstances call, or throws what EC2 answers. */
export function readLaunchRequest(call: Ec2Call): LaunchRequest {
  const { params, region } = call;
  const image = imageOf(region.images, params.required("ImageId"));
  const count = readCount(params);
  const type = params.text("InstanceType") ?? "m1.small";
  checkFit(image, type);
  checkMappings(params, image);
  if (!isAvailable(image)) {
    throw new AwsFault("InvalidAMIID.Unavailable", `The image ID '${image.id}' is not available`);
  }
  const network = params.groups("NetworkInterface")[0];
  return {
    image,
    type,
    count,
    keyPair: readKeyPair(call),
    groupIds: readGroups(call, network),
    subnet: readSubnet(call, network),
    isPublic: network?.text("AssociatePublicIpAddress") !== "false",
    userData: readUserData(params),
    iamInstanceProfile:
      params.text("IamInstanceProfile.Arn") ?? params.text("IamInstanceProfile.Name") ?? null,
    metadataTokens: readMetadataTokens(params),
    tags: readTagSpecifications(params, "instance", [
      "volume",
      "network-interface",
      "spot-instances-request",
    ]),
  };
}

function readCount(params: Params): number {
  params.required("MinCount");
  params.required("MaxCount");
  const [least = 0, most = 0] = [params.number("MinCount"), params.number("MaxCount")];
  if (least >= 1 && most >= least) return most;
  throw new AwsFault("InvalidParameterValue", `Value (${most}) for parameter maxCount is invalid.`);
}

function checkFit(image: Image, type: string): void {
  const known = instanceTypes.find(({ name }) => name === type);
  if (!known) throw new AwsFault("InvalidParameterValue", `Invalid value '${type}' for InstanceType.`);
  if (!known.architectures.includes(image.architecture)) {
    throw new AwsFault(
      "InvalidParameterValue",
      `The architecture '${known.architectures.join(",")}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI.`,
    );
  }
  const root = rootDeviceTypeOf(image);
  if (!known.rootDeviceTypes.includes(root)) {
    throw new AwsFault(
      "UnsupportedOperation",
      `AMI '${image.id}' with an ${root} root device is not supported for the instance type '${type}'.`,
    );
  }
  if (!known.virtualizations.includes(image.virtualization)) {
    throw new AwsFault(
      "InvalidParameterCombination",
      `Non-Windows instances with a virtualization type of '${image.virtualization}' are currently not supported for this instance type : ${type}.`,
    );
  }
}

function checkMappings(params: Params, image: Image): void {
  for (const mapping of params.groups("BlockDeviceMapping")) {
    const device = mapping.required("DeviceName");
    if (mapping.has("Ebs")) {
      if (image.volume)
        throw new AwsFault("UnsupportedOperation", "The emulator's instances have the image's own volume.");
      throw new AwsFault(
        "InvalidBlockDeviceMapping",
        "EBS block device mappings not supported for instance-store AMIs",
      );
    }
    const virtual = mapping.text("VirtualName");
    if (virtual !== undefined && !/^ephemeral\d{1,2}$/.test(virtual)) {
      throw new AwsFault(
        "InvalidBlockDeviceMapping",
        `Invalid virtual name '${virtual}' for device ${device}`,
      );
    }
  }
  if (!image.volume && params.has("InstanceInitiatedShutdownBehavior")) {
    throw new AwsFault(
      "InvalidParameterCombination",
      "The attribute instanceInitiatedShutdownBehavior can only be used for EBS-backed images.",
    );
  }
}

function readKeyPair({ params, region }: Ec2Call): KeyPair | null {
  const name = params.text("KeyName");
  if (name === undefined) return null;
  const pair = [...region.keyPairs.values()].find((one) => one.name === name);
  if (pair) return pair;
  throw new AwsFault("InvalidKeyPair.NotFound", `The key pair '${name}' does not exist`);
}

function readGroups({ params, region }: Ec2Call, network: Params | undefined): readonly string[] {
  const ids = network?.list("SecurityGroupId") ?? [];
  const own = params.list("SecurityGroupId");
  const names = params.list("SecurityGroup");
  if (network && own.length + names.length > 0) {
    throw new AwsFault(
      "InvalidParameterCombination",
      "Network interfaces and an instance-level security groups may not be specified on the same request",
    );
  }
  const groups = [
    ...[...ids, ...own].map((id) => groupById(region.groups, id)),
    ...names.map((name) => groupByName(region.groups, name)),
  ];
  return groups.length > 0 ? groups.map(({ id }) => id) : [defaultVpcOf(region.name).defaultGroupId];
}

function readSubnet({ params, region }: Ec2Call, network: Params | undefined): Subnet {
  const { subnets } = defaultVpcOf(region.name);
  const id = network?.text("SubnetId") ?? params.text("SubnetId");
  const zone = params.text("Placement.AvailabilityZone");
  const found = subnets.find((subnet) =>
    id ? subnet.id === id : zone === undefined || subnet.zone === zone,
  );
  if (found) return found;
  if (id) throw new AwsFault("InvalidSubnetID.NotFound", `The subnet ID '${id}' does not exist`);
  throw new AwsFault("InvalidParameterValue", `Invalid availability zone: [${zone ?? ""}]`);
}

function readMetadataTokens(params: Params): "required" | "optional" {
  const tokens = params.text("MetadataOptions.HttpTokens") ?? "optional";
  if (tokens === "required" || tokens === "optional") return tokens;
  throw new AwsFault("InvalidParameterValue", `Value (${tokens}) for parameter HttpTokens is invalid.`);
}

function readUserData(params: Params): string | null {
  const text = params.text("UserData");
  if (text === undefined) return null;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text))
    throw new AwsFault("InvalidParameterValue", "Invalid BASE64 encoding of user data");
  const bytes = Buffer.from(text, "base64");
  if (bytes.length > maxUserDataBytes)
    throw new AwsFault("InvalidParameterValue", "User data is limited to 16384 bytes");
  return bytes.toString("utf8");
}
