import type { Json } from "../util/json.ts";

/** One line of a journal. Format version 1; described in docs/journal.md. */
export type Entry =
  | {
      readonly type: "started";
      readonly version: 1;
      readonly run: string;
      readonly spec: string;
      readonly at: string;
      readonly endpointUrl: string | null;
    }
  | {
      readonly type: "acquired";
      readonly id: number;
      readonly task: string;
      readonly kind: string;
      readonly record: Json;
    }
  | { readonly type: "released"; readonly id: number; readonly kind: string }
  | { readonly type: "kept"; readonly id: number; readonly kind: string }
  | { readonly type: "succeeded"; readonly task: string; readonly digest: string; readonly output: Json }
  | {
      readonly type: "finished";
      readonly outcome: "succeeded" | "failed" | "interrupted";
      readonly at: string;
    };

export type Journal = {
  readonly entries: readonly Entry[];
  /** Resolves once the entry is on disk; a run waits for it before it goes on. */
  append(entry: Entry): Promise<void>;
};

/** What was acquired and neither released nor kept as a product, in the order of acquiring. */
export function unreleased(entries: readonly Entry[]): readonly Extract<Entry, { type: "acquired" }>[] {
  const released = new Set(
    entries.flatMap((entry) => (entry.type === "released" || entry.type === "kept" ? entry.id : [])),
  );
  return entries.filter((entry) => entry.type === "acquired").filter((entry) => !released.has(entry.id));
}
