import pLimit from "p-limit";
import type { Reporter } from "../report/reporter.ts";
import type { Ask } from "../stage/stage.ts";
import { abortable } from "../util/abortable.ts";
import { ask } from "./ask.ts";
import type { Interrupt } from "./interrupt.ts";

/** Asks at the terminal, one question after the other, in pauses of what shows the run. */
export function toAsk(reporter: Reporter, { end }: Pick<Interrupt, "end">): Ask {
  const turn = pLimit(1);
  return ({ lines, text, accepts }, signal) => {
    const answer = turn(async () => {
      signal.throwIfAborted();
      using _ = reporter.pause();
      process.stderr.write(lines.map((line) => `${line}\n`).join(""));
      for (;;) {
        const said = (await ask(text, { signal, end })).trim();
        signal.throwIfAborted();
        if (accepts(said)) return said;
      }
    });
    // Who waits for a turn is told to stop at once.
    return abortable(answer, signal);
  };
}
