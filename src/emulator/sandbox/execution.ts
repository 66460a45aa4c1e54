import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import type { Duplex } from "node:stream";
import type { Ended, Execution, ExecutionRequest } from "../../machine/execution.ts";
import type { IdMap } from "./id-map.ts";
import { toLaunchScript } from "./launch-script.ts";
import type { Pipes } from "./pipe.ts";
import { toolPath } from "./tool.ts";

/** Arguments with which nsenter(1) gets into an instance as its root. */
export type Entry = readonly string[];

/** The way into the namespaces of a process, by its id on this machine. */
export function toEntry(pid: number, { kind }: IdMap): Entry {
  const namespaces = ["--user", "--mount", "--pid", "--uts", "--ipc", "--net"];
  // Where we may not change groups we are root inside already, and nsenter must not try.
  return [
    "--target",
    String(pid),
    ...namespaces,
    ...(kind === "single" ? ["--preserve-credentials"] : []),
    "--",
  ];
}

/** Runs a command in an instance. */
export async function execute(entry: Entry, pipes: Pipes, request: ExecutionRequest): Promise<Execution> {
  const [input, output, errors] = await Promise.all([
    pipes.toProgram(),
    pipes.fromProgram(),
    pipes.fromProgram(),
  ]);
  const child = spawn("/usr/bin/nsenter", [...entry, "setsid", "/bin/sh", "-c", 'eval "$(cat <&3)"'], {
    // What a client sends must not reach nsenter, which is a program of this machine: the script sets it inside.
    env: { PATH: toolPath },
    cwd: "/",
    detached: true,
    stdio: [input.theirs, output.theirs, errors.theirs, "pipe"],
  });
  for (const { theirs } of [input, output, errors]) closeSync(theirs);
  const stdin = input.ours.on("error", () => undefined);
  const control = child.stdio[3] as Duplex;
  control.on("error", () => undefined);
  control.end(toLaunchScript(request));
  const ended = new Promise<Ended>((resolve) => {
    child.once("error", () => resolve({ code: 255, signal: null }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const told = firstLine(control, ended);
  const act = async (script: string, ...words: readonly string[]): Promise<void> => {
    const [leader = "", terminal = ""] = (await told).split(" ");
    if (leader === "") return;
    await enterAndRun(entry, ["/bin/sh", "-c", script, "sh", leader, terminal, ...words]);
  };
  const signal = (name: string): Promise<void> => act('kill -s "$3" -- "-$1"', name);
  return {
    stdin,
    stdout: output.ours,
    stderr: errors.ours,
    ended,
    signal,
    abandon: () => void signal("KILL").catch(() => undefined),
    resize: (rows, columns) => act('stty -F "$2" rows "$3" cols "$4"', String(rows), String(columns)),
  };
}

/** Runs a program of an instance beside what runs there; its exit code, `null` when a signal ended it. */
async function enterAndRun(entry: Entry, command: readonly string[]): Promise<number | null> {
  const child = spawn("/usr/bin/nsenter", [...entry, ...command], {
    env: { PATH: toolPath },
    cwd: "/",
    stdio: "ignore",
  });
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

/** The process id inside and, of a terminal, its name; empty when the command ended before it could tell. */
async function firstLine(control: Duplex, ended: Promise<unknown>): Promise<string> {
  return new Promise((resolve) => {
    let line = "";
    control.setEncoding("utf8").on("data", (chunk: string) => {
      line += chunk;
      if (line.includes("\n")) resolve(line.slice(0, line.indexOf("\n")));
    });
    void ended.then(() => resolve(""));
  });
}
