import { Problem } from "../problem.ts";
import { elevate } from "./elevate.ts";
import type { CommandResult, Machine } from "./machine.ts";
import { quote } from "./quote.ts";
import { type HygieneFinding, ImageListener, toImageProblem } from "./root-image-lines.ts";
import { type RootImageRequest, toRootImageArguments, toRootImageProgram } from "./root-image-program.ts";

export type RootImageOptions = RootImageRequest & {
  readonly sudo: boolean;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** A word in the environment of all that runs for it there, by which `endHeld` finds that; absent: none. */
  readonly mark?: string;
};

/** An image on its way. `finished` rejects with what went wrong; `chunks` then throws the same and never just ends. */
export type RootImage = {
  readonly sizeBytes: number;
  readonly findings: readonly HygieneFinding[];
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly finished: Promise<void>;
};

/**
 * Starts making an image of a machine's root, and resolves once its size is known and its bytes come.
 * Nothing of it stays on the machine. Throws the Problem `bundle-invalid` when the machine cannot do it.
 */
export async function openRootImage(machine: Machine, options: RootImageOptions): Promise<RootImage> {
  const { signal, log } = options;
  let announce = (): void => undefined;
  const announced = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const listener = new ImageListener(log, () => announce());
  const { stdout, result } = await machine.stream(commandOf(options, false), {
    signal,
    stdin: await toRootImageProgram(options),
    onLine: (line) => listener.hear(line),
  });
  // A command whose output nobody reads never ends, so the reading begins before anything else is known.
  const reader = stdout[Symbol.asyncIterator]();
  const first = reader.next();
  first.catch(() => undefined);
  const finished = result.then((outcome) => {
    if (outcome.code !== 0) throw toImageProblem(outcome, listener.findings);
  });
  finished.catch(() => undefined);
  await Promise.race([announced, finished]);
  const { sizeBytes, findings } = listener;
  if (sizeBytes === undefined) throw incomplete("its size was never told");
  return { sizeBytes, findings, chunks: checked(resume(first, reader), sizeBytes, finished), finished };
}

/**
 * Tells, before any work is done, which partition table an image of this machine's root would have, and what it would
 * lack: one Problem `bundle-invalid` names every missing tool and every reason why this root cannot be bundled.
 */
export async function checkImageTools(
  machine: Pick<Machine, "run">,
  options: Omit<RootImageOptions, "signal">,
  signal: AbortSignal,
): Promise<string | undefined> {
  const listener = new ImageListener(options.log, () => undefined);
  const outcome: CommandResult = await machine.run(commandOf(options, true), {
    signal,
    stdin: await toRootImageProgram(options),
    onLine: (line, from) => {
      if (from === "stderr") listener.hear(line);
    },
  });
  if (outcome.code !== 0) throw toImageProblem(outcome, []);
  return listener.table;
}

/** What a reader gives after its first answer was taken. */
async function* resume(
  first: Promise<IteratorResult<Uint8Array>>,
  reader: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for (let next = await first; next.done !== true; next = await reader.next()) yield next.value;
  } finally {
    await reader.return?.();
  }
}

async function* checked(
  chunks: AsyncIterable<Uint8Array>,
  sizeBytes: number,
  finished: Promise<void>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    yield chunk;
  }
  await finished;
  if (bytes !== sizeBytes) throw incomplete(`${bytes} of ${sizeBytes} bytes arrived`);
}

function commandOf(options: Omit<RootImageOptions, "signal" | "log">, check: boolean): string {
  const path = 'PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"; export PATH';
  const need =
    'command -v unshare >/dev/null || { echo "imgspec-missing: unshare (util-linux)" >&2; exit 69; }';
  // Set here, since sudo would not hand it on.
  const mark = `IMGSPEC_IMAGE=${options.mark ?? ""}; export IMGSPEC_IMAGE`;
  const words = ["sh", "-c", `${path}; ${mark}; ${need}; exec "$@"`, "sh", ...toImageCommand(options, check)];
  // Nothing may stand before what `elevate` makes: there the machine finds out whether sudo gets a password.
  return options.sudo ? elevate(words) : words.map(quote).join(" ");
}

/** What is to be run, as root, with the program (`toRootImageProgram`) on its stdin. */
export function toImageCommand(request: RootImageRequest, check = false): readonly string[] {
  return ["unshare", "-m", "sh", "-s", "--", ...toRootImageArguments(request, check)];
}

function incomplete(why: string): Problem {
  return new Problem("bundle-invalid", `the image of the root is not complete: ${why}`);
}
