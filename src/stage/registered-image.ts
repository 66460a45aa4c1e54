import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "../aws/cloud.ts";
import type { Image } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import type { StageContext } from "./stage.ts";

/** How long EC2 may take to make an image available. */
const deadlineMs = 30 * 60 * 1000;

/** Resolves once EC2 calls the image available. `refusal` says why it may end otherwise. */
export async function waitForImage(
  account: Account,
  id: string,
  refusal: string,
  { cloud, signal }: Pick<StageContext, "cloud" | "signal">,
): Promise<Image> {
  const provider = cloud.account(account);
  const deadline = Date.now() + deadlineMs;
  for (let pauseMs = 300; ; pauseMs = Math.min(pauseMs * 1.5, 15_000)) {
    const [found] = await provider.findImages({ ids: [id] }, signal);
    if (found?.state === "available") return found;
    if (found && found.state !== "pending") {
      throw new Problem(
        "manifest-refused",
        `image ${id} became ${found.state}: ${found.stateReason ?? "no reason given"}`,
        { hint: refusal },
      );
    }
    if (Date.now() > deadline) {
      throw new Problem("timeout", `image ${id} is still pending after ${deadlineMs / 60_000} min`, {
        hint: `look at it: aws ec2 describe-images --image-ids ${id} --region ${account.region}`,
      });
    }
    await sleep(pauseMs, undefined, { signal });
  }
}

type Expected = {
  readonly id: string;
  readonly name: string;
  /** Where the bundle is; of an image without one, absent. */
  readonly location?: string;
  readonly architecture: string;
  readonly virtualization: string;
  readonly kernel: string | null;
  readonly ramdisk: string | null;
  readonly rootDeviceType: string;
};

/** EC2 has been seen to fall back to defaults without a word (paravirtual, i386): better to notice now. */
export function expectImage(seen: Image, wanted: Expected, hint: string): void {
  const differences = (["name", "location", "architecture", "virtualization", "kernel", "ramdisk"] as const)
    // A kernel that nobody asked for may be the region's default.
    .filter((field) => (wanted[field] ?? null) !== null && seen[field]?.replace(/^\//, "") !== wanted[field])
    .map((field) => `${field} is ${quoted(seen[field])} instead of ${quoted(wanted[field])}`);
  if (seen.rootDeviceType !== wanted.rootDeviceType)
    differences.push(`its root device type is ${seen.rootDeviceType}`);
  if (differences.length === 0) return;
  throw new Problem("image-mismatch", `${wanted.id} is not what was registered: ${differences.join(", ")}`, {
    hint,
  });
}

function quoted(value: string | null | undefined): string {
  return value === null || value === undefined ? "not set" : `"${value}"`;
}
