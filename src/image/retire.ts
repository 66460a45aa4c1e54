import { byHand } from "../aws/by-hand.ts";
import type { Cloud } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";
import { deleteBundle } from "../store/delete-bundle.ts";
import { deleteByHand } from "../store/delete-by-hand.ts";
import type { Retirement } from "./retirement.ts";

/** What became of an image and of its bundle. `untouched`: nothing was tried. */
export type Retired = {
  readonly retirement: Retirement;
  readonly image: "deregistered" | "gone" | "failed" | "untouched";
  readonly bundle: "deleted" | "kept" | "missing" | "failed" | "untouched";
  readonly failure: RetireFailure | null;
};

/** What could not be taken away, and how to do it by hand. */
type RetireFailure = {
  readonly kind: "image" | "bundle";
  readonly id: string;
  readonly region: string;
  readonly problem: Problem;
  readonly byHand: string;
};

type RetireOptions = {
  /** Stops between two images: one that is begun is finished. */
  readonly signal: AbortSignal;
  /** Stops at once. */
  readonly abandon: AbortSignal;
  readonly onRetired: (retired: Retired) => void;
};

/**
 * Takes images away, one after the other: first the image, so that nobody launches it, then its parts, its manifest last.
 * What fails hides nothing of the others, and the same call again finishes it. The answer has each of them, in order.
 */
export async function retire(
  cloud: Cloud,
  retirements: readonly Retirement[],
  { signal, abandon, onRetired }: RetireOptions,
): Promise<readonly Retired[]> {
  const done: Retired[] = [];
  for (const retirement of retirements) {
    const isHeldUp = signal.aborted || abandon.aborted || mayBeNeeded(retirement, done);
    const retired: Retired = isHeldUp
      ? { retirement, image: "untouched", bundle: "untouched", failure: null }
      : await retireOne(cloud, retirement, abandon);
    done.push(retired);
    onRetired(retired);
  }
  return done;
}

/** The plan counts on those before it being gone; one that is not may need these objects. */
function mayBeNeeded({ retiree }: Retirement, done: readonly Retired[]): boolean {
  const folder = folderOf(retiree.location);
  return done.some(
    ({ image, retirement: { retiree: other } }) =>
      (image === "failed" || image === "untouched") &&
      other.account.region === retiree.account.region &&
      folderOf(other.location) === folder,
  );
}

async function retireOne(cloud: Cloud, retirement: Retirement, signal: AbortSignal): Promise<Retired> {
  const { retiree, bundle, kept } = retirement;
  const { account, id, location } = retiree;
  const { region } = account;
  if (retiree.isRegistered && id !== null) {
    const problem = await problemOf(() => cloud.account(account).deregisterImage(id, signal));
    if (problem !== null) {
      const how = byHand(`ec2 deregister-image --image-id ${id}`, account);
      const failure = { kind: "image", id, region, problem, byHand: how } as const;
      return { retirement, image: "failed", bundle: "untouched", failure };
    }
  }
  const image = retiree.isRegistered ? "deregistered" : "gone";
  const keys = bundle === null ? [] : [...bundle.parts, ...bundle.manifests];
  if (bundle === null || keys.length === 0)
    return { retirement, image, bundle: kept === null ? "missing" : "kept", failure: null };
  const problem = await problemOf(() => deleteBundle(bundle.provider, bundle.place, bundle, signal, "last"));
  if (problem === null) return { retirement, image, bundle: "deleted", failure: null };
  const how = deleteByHand(bundle.account, bundle.place.bucket, keys);
  const failure = { kind: "bundle", id: `s3://${location}`, region, problem, byHand: how } as const;
  return { retirement, image, bundle: "failed", failure };
}

async function problemOf(act: () => Promise<void>): Promise<Problem | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function folderOf(location: string): string {
  return location.slice(0, location.lastIndexOf("/") + 1);
}
