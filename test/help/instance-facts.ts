import type { InstanceFacts } from "../../src/emulator/instance-host.ts";

/** What EC2 would know of an instance that is started without it. */
export const facts: InstanceFacts = {
  accountId: "123456789012",
  region: "us-east-1",
  zone: "us-east-1a",
  imageId: "ami-0123456789abcdef0",
  manifestPath: "images/image.manifest.xml",
  instanceType: "m3.medium",
  reservationId: "r-0123456789abcdef0",
  launchIndex: 0,
  privateAddress: "10.0.0.4",
  publicAddress: "203.0.113.1",
  keyName: "key",
  groupNames: ["default"],
  architecture: "x86_64",
  virtualization: "hvm",
  kernelId: null,
  ramdiskId: null,
  rootDeviceName: "/dev/sda1",
  mappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
  metadataTokens: "optional",
  launchedAt: "2026-11-24T12:00:00.000Z",
};
