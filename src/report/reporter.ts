import type { RunEvent } from "../run/event.ts";
import { type Closed, Output, type OutputStream } from "./output.ts";
import type { Result } from "./result.ts";

/** What the user asked for; `auto`: the tree on a terminal, plain lines elsewhere. */
export type OutputMode = "auto" | "tree" | "plain" | "ndjson" | "quiet";

/** Shows a run. Disposing it gives the terminal back, whatever happened. */
export type Reporter = AsyncDisposable & {
  report(event: RunEvent): void;
  /** Resolves once nothing is being drawn, so that a question can be asked. Only between the tasks and the cleaning. */
  idle(): Promise<void>;
  /** Nothing is shown until what it gives is disposed of, so that a question can be asked in the middle of the run. */
  pause(): Disposable;
  /** Shows how the run ended; called once, after the last event. */
  finish(result: Result): Promise<void>;
};

export type ReporterOptions = {
  readonly output: OutputMode;
  readonly stream: OutputStream;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `auto`: on a terminal, unless NO_COLOR is set. */
  readonly color: "auto" | "always" | "never";
  /** The reader is gone (`| head`): nobody sees the run any more, so it should be stopped. Told once. */
  onClosed: Closed;
};

/** The reporter for this output. Only the one that is needed is loaded. */
export async function chooseReporter(options: ReporterOptions): Promise<Reporter> {
  const { stream, environment, onClosed } = options;
  const out = new Output(stream, onClosed);
  const color = hasColor(options);
  switch (toMode(options.output, stream, environment)) {
    case "tree": {
      const { TreeReporter } = await import("./tree.ts");
      return new TreeReporter(out, color);
    }
    case "ndjson": {
      const { NdjsonReporter } = await import("./ndjson.ts");
      return new NdjsonReporter(out);
    }
    case "quiet": {
      const { QuietReporter } = await import("./quiet.ts");
      return new QuietReporter(out, color);
    }
    case "plain": {
      const { PlainReporter } = await import("./plain.ts");
      return new PlainReporter(out, color);
    }
  }
}

/** A tree needs a terminal on which lines can be drawn again; logs of CI do not forget what was drawn before. */
function toMode(
  output: OutputMode,
  stream: OutputStream,
  { CI, TERM }: ReporterOptions["environment"],
): Exclude<OutputMode, "auto"> {
  if (output !== "auto") return output;
  return stream.isTTY && !CI && TERM !== "dumb" ? "tree" : "plain";
}

function hasColor({ color, stream, environment }: ReporterOptions): boolean {
  if (color !== "auto") return color === "always";
  const { NO_COLOR, TERM } = environment;
  return Boolean(stream.isTTY) && !NO_COLOR && TERM !== "dumb";
}
