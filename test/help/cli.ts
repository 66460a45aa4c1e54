import { type ChildProcess, spawn } from "node:child_process";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Result } from "../../src/report/result.ts";

const root = resolve(import.meta.dirname, "../..");

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

/** The built command line, in a folder of its own that holds a copy of an example. */
export type Cli = AsyncDisposable & {
  readonly folder: string;
  run(...args: readonly string[]): Promise<Ended>;
  /** Starts it, and resolves once a line of its output matches. */
  start(until: RegExp, ...args: readonly string[]): Promise<Started>;
  result(): Promise<Result>;
};

type Started = {
  readonly process: ChildProcess;
  readonly line: string;
  /** Resolves with the first line from now on that matches. */
  next(match: RegExp): Promise<string>;
  readonly ended: Promise<Ended>;
};

export async function newCli(
  example: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Cli> {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-e2e-"));
  await cp(join(root, "examples", example), folder, { recursive: true });
  const children: ChildProcess[] = [];
  const begin = (args: readonly string[]): ChildProcess => {
    const child = spawn(process.execPath, [join(root, "dist/bin.cjs"), ...args], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...toEnvironment(), ...environment },
    });
    children.push(child);
    return child;
  };
  return {
    folder,
    run: (...args) => endOf(begin(args)),
    start: async (until, ...args) => {
      const child = begin(args);
      const ended = endOf(child);
      const next = (match: RegExp): Promise<string> => lineOf(child, match, ended);
      return { process: child, line: await next(until), next, ended };
    },
    result: async () => JSON.parse(await readFile(join(folder, "imgspec-result.json"), "utf8")) as Result,
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Nothing of the machine's AWS, and nothing of vitest's. */
function toEnvironment(): NodeJS.ProcessEnv {
  const { PATH = "", HOME = "", LANG = "C.UTF-8" } = process.env;
  return { PATH, HOME, LANG };
}

async function endOf(child: ChildProcess): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, stdout, stderr };
}

function lineOf(child: ChildProcess, match: RegExp, ended: Promise<Ended>): Promise<string> {
  return new Promise((found, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split("\n").find((candidate) => match.test(candidate));
      if (line !== undefined) found(line);
    });
    void ended.then(({ code, stdout, stderr }) =>
      reject(new Error(`ended with ${code} before it printed ${match}:\n${stdout}\n${stderr}`)),
    );
  });
}
