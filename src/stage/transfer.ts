import { quote } from "../machine/quote.ts";
import { Problem } from "../problem.ts";
import type { LaunchedInstance } from "./launch.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { login } from "./trust.ts";

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
    await retrying(input, context, () => send(input, context));
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
    await retrying(input, context, async () => {
      await using machine = await login(input.on, context);
      await machine.download(input.from, input.to, {
        signal: deadline(input, context),
        onBytes: (done, total) => context.progress(done, total),
      });
    });
    return input.on;
  },
};

async function send(input: UploadFilesInput, context: StageContext): Promise<void> {
  await using machine = await login(input.on, context);
  const signal = deadline(input, context);
  // Through sudo the files go to a place of the user's own first: the user may not write where they belong.
  const landing = input.sudo
    ? `/tmp/.imgspec-${context.run.id}-${input.label.replaceAll(/\W/g, "")}`
    : input.to;
  await machine.upload(input.from, landing, {
    signal,
    ...(input.mode === null ? {} : { mode: Number.parseInt(input.mode, 8) }),
    onBytes: (done, total) => context.progress(done, total),
  });
  if (!input.sudo) return;
  const parent = input.to.replace(/\/+$/, "").replace(/\/[^/]*$/, "") || "/";
  const move = [
    `sudo -n mkdir -p -- ${quote(parent)}`,
    `sudo -n cp -R -- ${quote(`${landing}${input.to.endsWith("/") ? "/." : ""}`)} ${quote(input.to)}`,
    `rm -rf -- ${quote(landing)}`,
  ];
  const makeTarget = input.to.endsWith("/") ? [`sudo -n mkdir -p -- ${quote(input.to)}`] : [];
  const { code, stderr } = await machine.run([...makeTarget, ...move].join(" && "), { signal });
  if (code === 0) return;
  throw new Problem(
    "command-failed",
    `cannot move ${input.from} to ${input.to} with sudo: ${stderr.trim()}`,
    {
      hint: "the user of connect.user needs sudo without a password, or leave sudo out",
    },
  );
}

function deadline(
  input: { readonly timeoutSeconds: number; readonly label: string },
  { signal }: StageContext,
): AbortSignal {
  const late = new AbortController();
  setTimeout(
    () =>
      late.abort(new Problem("command-timeout", `${input.label} took longer than ${input.timeoutSeconds} s`)),
    input.timeoutSeconds * 1000,
  ).unref();
  return AbortSignal.any([signal, late.signal]);
}
