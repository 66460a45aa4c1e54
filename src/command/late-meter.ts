import type { Meter } from "../report/meter.ts";
import { newMeter, type TalkOptions } from "./bundle-options.ts";

/** A meter of work whose size is not known before it begins. */
export type LateMeter = Disposable & { update(doneBytes: number, totalBytes: number): void };

/** Shows on stderr how far a transfer has come. */
export function newLateMeter(options: TalkOptions, what: string): LateMeter {
  let isStarted = false;
  let isOver = false;
  let meter: Meter | undefined;
  const start = async (totalBytes: number): Promise<void> => {
    isStarted = true;
    meter = await newMeter(options, what, totalBytes);
  };
  return {
    update(doneBytes, totalBytes) {
      if (!isStarted) void start(totalBytes);
      if (!isOver) meter?.update(doneBytes);
    },
    [Symbol.dispose]() {
      isOver = true;
      meter?.[Symbol.dispose]();
    },
  };
}
