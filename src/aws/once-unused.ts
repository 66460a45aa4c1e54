import type { Link } from "./client.ts";
import { faultOf } from "./fault-problem.ts";
import { isNotFound } from "./fresh.ts";
import { beats } from "./patience.ts";

/** Deletes what others have only just let go of: again while EC2 says so by one of these codes. It may be gone already. */
export async function onceUnused(
  link: Link,
  codes: readonly string[],
  signal: AbortSignal,
  remove: () => Promise<unknown>,
): Promise<void> {
  const deadline = Date.now() + link.patience.dependencyMs;
  for await (const _beat of beats(link.patience, signal)) {
    try {
      await remove();
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!codes.includes(faultOf(error)?.code ?? "") || Date.now() > deadline) throw error;
    }
  }
}
