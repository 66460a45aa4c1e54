import { AwsFault } from "../fault.ts";
import type { Ec2Call } from "./ec2-call.ts";
import type { Params } from "./params.ts";
import type { Image } from "./records.ts";
import { isReadable, snapshotById } from "./snapshots.ts";

type VolumeImage = Pick<Image, "rootDeviceName" | "mappings"> & {
  readonly volume: NonNullable<Image["volume"]>;
};

/** Those that a root may be (CreateVolume reference); io1 and io2 take a rate too. */
const volumeTypes = ["gp2", "gp3", "io1", "io2", "standard"];

/** What RegisterImage is told of an image whose root is a volume of a snapshot, checked. */
export function readVolumeImage(call: Ec2Call): VolumeImage {
  const { params } = call;
  const rootDeviceName = params.text("RootDeviceName");
  if (rootDeviceName === undefined) throw missingParameter("RootDeviceName");
  const groups = params.groups("BlockDeviceMapping");
  const root = groups.find((one) => one.text("DeviceName") === rootDeviceName);
  if (!root?.has("Ebs")) {
    throw new AwsFault(
      "InvalidBlockDeviceMapping",
      `No snapshotId specified for the root device ${rootDeviceName}`,
    );
  }
  return {
    rootDeviceName,
    volume: readVolume(call, root.group("Ebs")),
    mappings: groups
      .filter((one) => one !== root)
      .map((one) => ({ device: one.required("DeviceName"), virtual: readVirtual(one) })),
  };
}

function readVolume({ region }: Ec2Call, ebs: Params): VolumeImage["volume"] {
  const id = ebs.text("SnapshotId");
  if (id === undefined) throw missingParameter("BlockDeviceMapping.Ebs.SnapshotId");
  const snapshot = snapshotById(region.snapshots, id);
  if (!isReadable(snapshot))
    throw new AwsFault("IncorrectState", `Snapshot is in invalid state - ${snapshot.state}`);
  const type = ebs.text("VolumeType") ?? "standard";
  if (!volumeTypes.includes(type))
    throw new AwsFault("InvalidParameterValue", `Value (${type}) for parameter volumeType is invalid.`);
  // The snapshot says whether it is encrypted (EbsBlockDevice reference).
  if (ebs.has("Encrypted") || ebs.has("KmsKeyId"))
    throw new AwsFault(
      "InvalidParameterCombination",
      "the encrypted flag cannot be specified with a snapshot",
    );
  const sizeGiB = ebs.number("VolumeSize") ?? snapshot.volumeSizeGiB;
  if (sizeGiB < snapshot.volumeSizeGiB) {
    throw new AwsFault(
      "InvalidBlockDeviceMapping",
      `Volume of size ${sizeGiB}GB is smaller than snapshot '${id}', expect size >= ${snapshot.volumeSizeGiB}GB`,
    );
  }
  const isDeletedWithInstance = ebs.text("DeleteOnTermination") !== "false";
  return { snapshotId: id, sizeGiB, type, isDeletedWithInstance, isEncrypted: snapshot.isEncrypted };
}

function readVirtual(mapping: Params): string {
  if (mapping.has("Ebs"))
    throw new AwsFault("UnsupportedOperation", "The emulator's images have one volume, the root.");
  const virtual = mapping.required("VirtualName");
  if (/^ephemeral\d{1,2}$/.test(virtual)) return virtual;
  throw new AwsFault("InvalidBlockDeviceMapping", `Invalid virtual name: ${virtual}`);
}

function missingParameter(name: string): AwsFault {
  return new AwsFault("MissingParameter", `The request must contain the parameter ${name}`);
}
