import type { Rule } from "./fault.ts";

/** EC2's codes for "not now, not here" (EC2 API Reference, server error codes). */
export const noRoomCodes: readonly string[] = [
  "InsufficientInstanceCapacity",
  "InsufficientHostCapacity",
  "InsufficientCapacity",
  "InsufficientReservedInstanceCapacity",
  "ReservationCapacityExceeded",
];

/** What EC2 refuses although the caller may ask. */
export const computeRules: readonly Rule[] = [
  {
    codes: [...noRoomCodes, "Unsupported"],
    problem: "capacity-missing",
    message: ({ account, message }) => `EC2 has no room in ${account.region}: ${message}`,
    hint: () => "name more types in launch.instanceTypes, or a launch.subnet in another zone",
  },
  {
    codes: ["InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded"],
    problem: "capacity-missing",
    message: ({ account, message }) => `the account's quota in ${account.region} is used up: ${message}`,
    hint: () =>
      "end other instances, name other types in launch.instanceTypes, or ask AWS Service Quotas for more",
  },
  {
    codes: ["ConcurrentLimitExceededException", "ServiceQuotaExceededException", "SnapshotLimitExceeded"],
    problem: "aws-fault",
    message: ({ account, message }) => `the account has too many snapshots in ${account.region}: ${message}`,
    hint: () => "delete snapshots that nobody completes, or ask AWS Service Quotas for more",
  },
  {
    codes: ["InvalidManifest"],
    problem: "manifest-refused",
    message: ({ message, account }) => `EC2 in ${account.region} refuses the bundle: ${message}`,
    hint: ({ account: { region } }) =>
      `the bundle must be wrapped for the key of ${region} (certificate.ec2) and EC2 be able to read it (upload.acl)`,
  },
  {
    codes: ["InvalidAMIName.Duplicate"],
    problem: "name-taken",
    message: ({ resource, account }) =>
      `there is already an image named "${resource ?? ""}" in ${account.region}`,
    hint: () => "put build.date or build.id into register.name, or deregister the other image",
  },
  {
    codes: ["InvalidAMIName.Malformed"],
    problem: "aws-fault",
    message: ({ resource }) => `EC2 refuses "${resource ?? ""}" as the name of an image`,
    hint: () => "use 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _ in register.name",
  },
  {
    codes: ["VPCIdNotSpecified", "MissingSubnet", "DefaultVpcDoesNotExist"],
    problem: "aws-fault",
    message: ({ account }) => `the account has no default VPC in ${account.region}`,
    hint: () => "name a launch.subnet",
  },
  {
    codes: ["InvalidSubnetID.NotFound", "InvalidSubnet", "InvalidSubnetId.Malformed"],
    problem: "aws-fault",
    message: ({ account, message }) => `launch.subnet cannot be used in ${account.region}: ${message}`,
    hint: () => "name a subnet of this region and account in launch.subnet",
  },
];
