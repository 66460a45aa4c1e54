import { Problem } from "../problem.ts";

/** Two requests to stop: the first ends the run and gives everything back, the second ends the giving back too. */
export type Interrupt = Disposable & {
  readonly signal: AbortSignal;
  readonly abandon: AbortSignal;
  stop(why: string): void;
};

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Listens to Ctrl-C, to `kill` and to a terminal that closes. */
export function listen(): Interrupt {
  const first = new AbortController();
  const second = new AbortController();
  const stop = (why: string): void => {
    const controller = first.signal.aborted ? second : first;
    controller.abort(new Problem("interrupted", `stopped by ${why}`));
  };
  for (const name of signals) process.on(name, stop);
  return {
    signal: first.signal,
    abandon: second.signal,
    stop,
    [Symbol.dispose]() {
      for (const name of signals) process.off(name, stop);
    },
  };
}
