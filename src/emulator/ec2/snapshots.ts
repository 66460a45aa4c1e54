import { AwsFault } from "../fault.ts";
import { toItems, type XmlValue } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import { toPage } from "./pages.ts";
import type { Snapshot } from "./records.ts";
import { toTagSet } from "./tags.ts";

/** A completed snapshot is seen as such only after a while. */
const sealingMs = 300;

/** What EC2 calls the state of a snapshot. */
function snapshotStateOf({ state, stateMessage, sealedAt }: Snapshot): Snapshot["state"] {
  if (state !== "pending" || sealedAt === null) return state;
  if (Date.now() - Date.parse(sealedAt) < sealingMs) return "pending";
  return stateMessage === null ? "completed" : "error";
}

export function isReadable(snapshot: Snapshot): boolean {
  return snapshotStateOf(snapshot) === "completed";
}

/** The snapshot of this id, or EC2's error. */
export function snapshotById(snapshots: ReadonlyMap<string, Snapshot>, id: string): Snapshot {
  const found = snapshots.get(id);
  if (found) return found;
  if (!/^snap-([0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
    throw new AwsFault("InvalidSnapshotID.Malformed", `The snapshot ID '${id}' is not valid`);
  throw new AwsFault("InvalidSnapshot.NotFound", `The snapshot '${id}' does not exist.`);
}

const describeSnapshots: Ec2Action = (call) => {
  const { params, region, world } = call;
  const { accountId } = world.identity;
  const ids = params.list("SnapshotId");
  for (const id of ids) snapshotById(region.snapshots, id);
  const owners = params.list("Owner");
  const named = [...region.snapshots.values()]
    .filter(({ id }) => ids.length === 0 || ids.includes(id))
    .filter(() => owners.length === 0 || owners.includes("self") || owners.includes(accountId));
  const chosen = filtered(
    params,
    named,
    {
      "snapshot-id": ({ id }) => id,
      description: ({ description }) => description,
      encrypted: ({ isEncrypted }) => isEncrypted,
      "owner-id": () => accountId,
      status: (snapshot) => snapshotStateOf(snapshot),
      "volume-size": ({ volumeSizeGiB }) => volumeSizeGiB,
    },
    ({ tags }) => tags,
  );
  const page = toPage(params, chosen);
  return { snapshotSet: toItems(page.things.map((one) => toSnapshot(call, one))), nextToken: page.nextToken };
};

function toSnapshot({ world }: Ec2Call, snapshot: Snapshot): XmlValue {
  const state = snapshotStateOf(snapshot);
  return {
    snapshotId: snapshot.id,
    // What has no volume behind it names this one.
    volumeId: "vol-ffffffff",
    status: state,
    statusMessage: state === "error" ? (snapshot.stateMessage ?? undefined) : undefined,
    startTime: snapshot.startedAt,
    progress: state === "completed" ? "100%" : "0%",
    ownerId: world.identity.accountId,
    volumeSize: snapshot.volumeSizeGiB,
    description: snapshot.description ?? "",
    encrypted: snapshot.isEncrypted,
    kmsKeyId: snapshot.kmsKey ?? undefined,
    storageTier: "standard",
    tagSet: toTagSet(snapshot.tags),
  };
}

const deleteSnapshot: Ec2Action = async (call) => {
  const { params, region, world } = call;
  const { id } = snapshotById(region.snapshots, params.required("SnapshotId"));
  const user = [...region.images.values()].find(({ volume }) => volume?.snapshotId === id);
  if (user)
    throw new AwsFault("InvalidSnapshot.InUse", `The snapshot ${id} is currently in use by ${user.id}`);
  proceed(call);
  region.snapshots.delete(id);
  await world.blocks.delete(id);
  return { ...done };
};

export const snapshotActions: Readonly<Record<string, Ec2Action>> = {
  DescribeSnapshots: describeSnapshots,
  DeleteSnapshot: deleteSnapshot,
};
