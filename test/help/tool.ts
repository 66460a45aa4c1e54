import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { goldenPath } from "../bundle/golden.ts";
import type { Ended } from "./cli.ts";

const bin = resolve(import.meta.dirname, "../../dist/bin.cjs");

/** What a run of the program is given beside its arguments. */
type Given = {
  readonly env?: NodeJS.ProcessEnv;
  /** What comes on stdin; it ends after these bytes. */
  readonly input?: Iterable<Uint8Array>;
  /** Runs it in the shell, with the command as `"$@"`. */
  readonly shell?: string;
};

/** The built program in a folder of its own that holds the golden keys (pk-user.pem, …) and nothing else. */
export type Tool = AsyncDisposable & {
  readonly folder: string;
  path(name: string): string;
  /** The files beside the keys. */
  files(): Promise<string[]>;
  run(args: readonly string[], given?: Given): Promise<Ended>;
  start(args: readonly string[]): { readonly process: ChildProcess; readonly ended: Promise<Ended> };
  /** Puts a golden bundle into the folder. */
  copy(golden: string): Promise<void>;
};

export async function newTool(): Promise<Tool> {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-tool-"));
  await cp(goldenPath("keys"), folder, { recursive: true });
  const keys = await readdir(folder);
  const children: ChildProcess[] = [];
  const start = (args: readonly string[], { env = {}, shell }: Given = {}): ChildProcess => {
    const command = [process.execPath, bin, ...args];
    const [file = "", ...rest] = shell === undefined ? command : ["/bin/sh", "-euc", shell, "sh", ...command];
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(file, rest, { cwd: folder, env: { PATH, HOME, LANG: "C.UTF-8", ...env } });
    // A program that ends before it has read everything is judged by how it ends.
    child.stdin?.on("error", () => undefined);
    children.push(child);
    return child;
  };
  return {
    folder,
    path: (name) => join(folder, name),
    files: async () => (await readdir(folder)).filter((name) => !keys.includes(name)).sort(),
    run: async (args, given = {}) => {
      const child = start(args, given);
      const ended = endOf(child);
      if (child.stdin) await pipeline(Readable.from(given.input ?? []), child.stdin).catch(() => undefined);
      return ended;
    },
    start: (args) => {
      const child = start(args);
      return { process: child, ended: endOf(child) };
    },
    copy: (path) => cp(dirname(goldenPath(path)), folder, { recursive: true }),
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.on("data", (chunk: Buffer) => {
      texts[name] += chunk.toString();
    });
  }
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, ...texts };
}
