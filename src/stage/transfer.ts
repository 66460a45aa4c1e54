import { withFiles } from "../bundle/file-problem.ts";
import { type HeldMachine, persist } from "../machine/held-machine.ts";
import { Problem } from "../problem.ts";
import { toDeadline } from "./deadline.ts";
import type { LaunchedInstance } from "./launch.ts";
import { rootUpload } from "./root-upload.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

export type UploadFilesInput = {
  readonly on: LaunchedInstance;
  readonly from: string;
  /** SHA-256 over the names and contents of what is sent, when the plan was made. */
  readonly contents: string;
  readonly to: string;
  /** Octal digits; null: as the local file's. */
  readonly mode: string | null;
  readonly sudo: boolean;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

export const uploadFiles: Stage<UploadFilesInput, LaunchedInstance> = {
  kind: "provision.upload",
  title: "Send files",
  exitCode: 5,
  run: async (input, context) => {
    const { from, to, mode, sudo } = input;
    await retrying(input, context, () =>
      transferring(input, context, async (held, signal) => {
        const options = {
          signal,
          ...(mode === null ? {} : { mode: Number.parseInt(mode, 8) }),
          onBytes: (done: number, total: number) => context.progress(done, total),
        };
        if (sudo) await rootUpload(held, from, to, options);
        else await persist(held, signal, (machine) => machine.upload(from, to, options));
      }),
    );
    return input.on;
  },
};

export type DownloadFilesInput = {
  readonly on: LaunchedInstance;
  readonly from: string;
  /** Absolute. */
  readonly to: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

export const downloadFiles: Stage<DownloadFilesInput, LaunchedInstance> = {
  kind: "provision.download",
  title: "Fetch a file",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () =>
      transferring(input, context, (held, signal) =>
        withFiles(`${input.label} cannot write ${input.to}`, () =>
          persist(held, signal, (machine) =>
            machine.download(input.from, input.to, {
              signal,
              onBytes: (done, total) => context.progress(done, total),
            }),
          ),
        ),
      ),
    );
    return input.on;
  },
};

type TransferInput = {
  readonly on: LaunchedInstance;
  readonly timeoutSeconds: number;
  readonly label: string;
};

async function transferring(
  input: TransferInput,
  context: StageContext,
  work: (held: HeldMachine, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  await using held = hold(input.on, context);
  await held.machine();
  const { label, timeoutSeconds } = input;
  const late = `the files of ${label} did not arrive within ${timeoutSeconds} s`;
  using deadline = toDeadline(new Problem("command-timeout", late), timeoutSeconds);
  await work(held, AbortSignal.any([context.signal, deadline.signal]));
}
