import { Problem } from "../problem.ts";

/** Two requests to stop: the first ends the run and gives everything back, the second ends the giving back too. */
export type Interrupt = Disposable & {
  readonly signal: AbortSignal;
  readonly abandon: AbortSignal;
  /** A first request, never a second one: for what goes away by itself, such as the reader of the output. */
  end(why: string): void;
};

/** Only what a person does can mean "stop cleaning too": a terminal that closes also closes the output. */
const insistent = ["SIGINT", "SIGTERM"] as const;

/** One Ctrl-C arrives twice under `npx`, `npm run` and `timeout`, which pass on what the terminal sends to all. */
const echoMs = 300;

/** Listens to Ctrl-C, to `kill` and to a terminal that closes. */
export function listen(): Interrupt {
  const first = new AbortController();
  const second = new AbortController();
  const end = (why: string): void => first.abort(new Problem("interrupted", `stopped by ${why}`));
  let askedAt: number | undefined;
  const stop = (why: string): void => {
    const now = performance.now();
    if (askedAt === undefined) askedAt = now;
    else if (now - askedAt >= echoMs) second.abort(new Problem("interrupted", `stopped by ${why}`));
    end(why);
  };
  for (const name of insistent) process.on(name, stop);
  process.on("SIGHUP", end);
  return {
    signal: first.signal,
    abandon: second.signal,
    end,
    [Symbol.dispose]() {
      for (const name of insistent) process.off(name, stop);
      process.off("SIGHUP", end);
    },
  };
}
