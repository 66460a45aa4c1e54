import { readFile } from "node:fs/promises";

import { Problem } from "../problem.ts";
import { elevate } from "./elevate.ts";
import type { CommandResult, Machine } from "./machine.ts";
import { quote } from "./quote.ts";

const program = new URL("../../templates/instance/root-image.sh", import.meta.url);

export type ImageFacts = {
  /** Size of the file system; null: what the files take, a fifth more, and 64 MiB. */
  readonly sizeMib: number | null;
  /** Absolute globs: a directory that matches loses its contents, anything else is left out. */
  readonly exclude: readonly string[];
  /** Another directory than `/` to take for the root. */
  readonly root?: string;
  /** A public key line to be left out of every authorized_keys. */
  readonly forgetKey: string;
};

export type RootImageOptions = ImageFacts & {
  readonly sudo: boolean;
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

/** An image on its way. `finished` rejects with what went wrong; `chunks` then throws the same and never just ends. */
export type RootImage = {
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly finished: Promise<void>;
};

/**
 * Starts making a file-system image of a machine's root, and resolves once its size is known and its bytes come.
 * Nothing of it stays on the machine. Throws the Problem `bundle-invalid` when the machine cannot do it.
 */
export async function openRootImage(machine: Machine, options: RootImageOptions): Promise<RootImage> {
  const { signal, log } = options;
  let sizeBytes: number | undefined;
  let announce = (): void => undefined;
  const announced = new Promise<void>((resolve) => {
    announce = resolve;
  });
  const { stdout, result } = await machine.stream(commandOf(options), {
    signal,
    stdin: await readImageProgram(),
    onLine: (line) => {
      const size = /^imgspec-image: size=(\d+)$/.exec(line)?.[1];
      if (size !== undefined) {
        sizeBytes = Number(size);
        announce();
      } else if (!/^imgspec-(?:missing|problem|no-room): /.test(line)) {
        log(line.replace(/^imgspec-(?:phase|note): /, ""));
      }
    },
  });
  const finished = result.then((outcome) => {
    if (outcome.code !== 0) throw toImageProblem(outcome);
  });
  finished.catch(() => undefined);
  await Promise.race([announced, finished]);
  if (sizeBytes === undefined) throw incomplete("its size was never told");
  return { sizeBytes, chunks: checked(stdout, sizeBytes, finished), finished };
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

/** What is to be run, as root, with `readImageProgram` on its stdin. */
export function toImageCommand({ sizeMib, exclude, root, forgetKey }: ImageFacts): readonly string[] {
  return [
    ...["unshare", "-m", "sh", "-s", "--"],
    ...(sizeMib === null ? [] : ["--size", String(sizeMib)]),
    ...(root === undefined ? [] : ["--root", root]),
    ...["--forget", forgetKey],
    ...exclude.flatMap((glob) => ["--exclude", glob]),
  ];
}

/** The program that makes the image. */
export function readImageProgram(): Promise<string> {
  return readFile(program, "utf8");
}

function commandOf(options: RootImageOptions): string {
  const { sudo } = options;
  const words = toImageCommand(options);
  const command = sudo ? elevate(words) : `exec ${words.map(quote).join(" ")}`;
  const path = 'PATH="$PATH:/usr/sbin:/sbin:/usr/bin:/bin"; export PATH';
  const check =
    'command -v unshare >/dev/null || { echo "imgspec-missing: unshare (util-linux)" >&2; exit 69; }';
  return `sh -c ${quote(`${path}; ${check}; ${command}`)}`;
}

/** What to throw when the program has failed. */
export function toImageProblem({ code, signal, stderr }: Omit<CommandResult, "stdout">): Problem {
  const lines = stderr.trim().split("\n");
  const told = (what: string): string | undefined =>
    lines.findLast((line) => line.startsWith(`imgspec-${what}: `))?.slice(what.length + 10);
  const missing = told("missing");
  if (missing !== undefined) {
    return new Problem(
      "bundle-invalid",
      `the machine lacks ${missing}, which it takes to make an image of its root`,
      {
        hint: "install it in a provision step, or take a newer source AMI",
      },
    );
  }
  const noRoom = told("no-room");
  if (noRoom !== undefined) {
    return new Problem("bundle-invalid", `there is no room for the image of the root: ${noRoom}`, {
      hint: "raise bundle.sizeMib, leave more out with bundle.exclude, or take an instance type with more storage",
    });
  }
  const how = code === null ? `was ended by SIG${signal ?? "KILL"}` : `exited with ${code}`;
  const said = lines.filter((line) => !/^imgspec-(?:phase|note|image|problem): /.test(line)).slice(-10);
  const why = told("problem") ?? `the program that makes it ${how}`;
  return new Problem(
    "bundle-invalid",
    [`the image of the root could not be made: ${why}`, ...said].filter((line) => line !== "").join("\n  "),
    {
      hint: said.some((line) => line.startsWith("sudo:"))
        ? "connect.user must be root or may use sudo without a password"
        : undefined,
    },
  );
}

function incomplete(why: string): Problem {
  return new Problem("bundle-invalid", `the image of the root is not complete: ${why}`);
}
