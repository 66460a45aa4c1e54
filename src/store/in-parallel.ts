import { setMaxListeners } from "node:events";
import pLimit from "p-limit";

/**
 * Works on all items, so many at once. The first failure stops the others and is the one that is told; nothing goes on
 * behind its back.
 */
export async function inParallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  // Each of the many waits on it, which Node would take for a leak.
  setMaxListeners(0, either);
  const limit = pLimit(concurrency);
  const settled = await Promise.allSettled(
    items.map((item) =>
      limit(async () => {
        either.throwIfAborted();
        try {
          await work(item, either);
        } catch (error) {
          failed.abort(error);
          throw error;
        }
      }),
    ),
  );
  signal.throwIfAborted();
  if (settled.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}
