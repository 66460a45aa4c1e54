import { DeleteSnapshotCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { call, type Link } from "./client.ts";
import { type Fresh, isNotFound } from "./fresh.ts";
import { onceUnused } from "./once-unused.ts";
import type { Snapshots } from "./snapshots.ts";

/** Snapshots as EC2 knows them. */
export function toDescribedSnapshots(
  link: Link,
  fresh: Fresh,
): Pick<Snapshots, "findSnapshot" | "deleteSnapshot"> {
  return {
    findSnapshot: async (id, signal) => {
      try {
        const command = new DescribeSnapshotsCommand({ SnapshotIds: [id] });
        const { Snapshots: [found] = [] } = await fresh.settled([id], signal, () =>
          call(link, command, { signal, resource: id }),
        );
        if (!found) return null;
        const { State = "pending", StateMessage, Progress } = found;
        return { id, state: State, stateMessage: StateMessage || null, progress: Progress || null };
      } catch (error) {
        if (isNotFound(error)) return null;
        throw error;
      }
    },

    deleteSnapshot: async (id, signal) => {
      const command = new DeleteSnapshotCommand({ SnapshotId: id });
      // EC2 may take a while to see that the image on it is deregistered.
      await onceUnused(link, ["InvalidSnapshot.InUse"], signal, () =>
        fresh.settled([id], signal, () => call(link, command, { signal, resource: id })),
      );
      fresh.forget(id);
    },
  };
}
