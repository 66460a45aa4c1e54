import type { Snapshot } from "../ec2/records.ts";
import { AwsFault } from "../fault.ts";
import { invalid } from "./ebs-call.ts";

type StartRequest = Pick<
  Snapshot,
  "volumeSizeGiB" | "description" | "clientToken" | "isEncrypted" | "kmsKey" | "tags"
>;

type Given = {
  readonly [K in
    | "VolumeSize"
    | "Description"
    | "ClientToken"
    | "Encrypted"
    | "KmsKeyArn"
    | "Timeout"
    | "ParentSnapshotId"]?: unknown;
} & { readonly Tags?: readonly { readonly Key?: string; readonly Value?: string }[] };

const largestGiB = 65_536;
const mostTags = 50;

/** Reads and checks the body of StartSnapshot, or throws what EBS answers. */
export function readStart(text: string): StartRequest {
  const {
    VolumeSize,
    Description,
    ClientToken,
    Encrypted,
    KmsKeyArn,
    Timeout,
    Tags = [],
    ...rest
  } = parse(text);
  if (!isWithin(VolumeSize, 1, largestGiB))
    throw invalid("INVALID_VOLUME_SIZE", `Volume size must be between 1 and ${largestGiB} GiB.`);
  if (Timeout !== undefined && !isWithin(Timeout, 10, 4320))
    throw invalid("INVALID_PARAMETER_VALUE", "Timeout must be between 10 and 4320 minutes.");
  if (KmsKeyArn !== undefined && Encrypted === false)
    throw invalid("INVALID_PARAMETER_VALUE", "Encrypt cannot be false when KmsKeyArn is specified");
  if (rest.ParentSnapshotId !== undefined)
    throw new AwsFault("NotImplemented", "The emulator has no incremental snapshots.");
  return {
    volumeSizeGiB: VolumeSize,
    description: textOf(Description),
    clientToken: textOf(ClientToken),
    isEncrypted: Encrypted === true || KmsKeyArn !== undefined,
    kmsKey: textOf(KmsKeyArn),
    tags: readTags(Tags),
  };
}

function parse(text: string): Given {
  try {
    return JSON.parse(text) as Given;
  } catch {
    throw new AwsFault("SerializationException", "The request is not valid JSON.");
  }
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

function readTags(tags: NonNullable<Given["Tags"]>): Snapshot["tags"] {
  const read = Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
  const isWrong = Object.entries(read).some(
    ([key, value]) => key === "" || key.length > 127 || value.length > 256 || /^aws:/i.test(key),
  );
  if (isWrong || tags.length > mostTags || Object.keys(read).length < tags.length)
    throw invalid("INVALID_TAG", "Invalid snapshot tag.");
  return read;
}
