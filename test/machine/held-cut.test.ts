import { execFile, execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldCommand, runHeld } from "../../src/machine/held-command.ts";
import { type HeldMachine, holdMachine } from "../../src/machine/held-machine.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(300_000);
const base: Omit<HeldCommand, "program"> = { sudo: false, signal };
/** Makes the processes of this run known from those of another one on the same machine. */
const mark = process.pid;
const napping = new RegExp(`^sleep 48\\d\\d[.]${mark}$`);

const haveBusybox = ((): boolean => {
  try {
    return execFileSync("busybox", ["--list"], { encoding: "utf8" }).includes("mkfifo");
  } catch {
    return false;
  }
})();

describe.skipIf(!haveSshd)("over OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  const hold = (port: number, lines: string[] = []): HeldMachine =>
    holdMachine(
      async () => watched(await connect({ ...sshd.address, port }, { signal, timeoutMs: 20_000 })),
      (line) => lines.push(line),
    );

  test("the connection is cut five times, and every line comes once and in order", async () => {
    const bytes = Array.from({ length: 5 }, () => 4000 + Math.floor(Math.random() * 60_000));
    await using proxy = await startCuttingProxy(sshd.address.port, bytes);
    const told: string[] = [];
    await using held = hold(proxy.port, told);
    const lines: Record<string, string[]> = { stdout: [], stderr: [] };
    const program = `i=0
while [ $i -lt 6000 ]; do
  i=$((i + 1))
  echo "out $i ${"x".repeat(40)}"
  echo "err $i" >&2
  [ $((i % 600)) != 0 ] || sleep 0.2
done
exit 9`;
    const onLine = (line: string, from: string): void => void lines[from]?.push(line);
    const result = await runHeld(held, { ...base, program, onLine });
    const numbers = Array.from({ length: 6000 }, (_, i) => i + 1);
    expect(lines["stdout"], `cut after ${bytes.join(", ")}`).toEqual(
      numbers.map((i) => `out ${i} ${"x".repeat(40)}`),
    );
    expect(lines["stderr"]).toEqual(numbers.map((i) => `err ${i}`));
    expect(result).toMatchObject({ code: 9, signal: null });
    expect(proxy).toMatchObject({ cuts: 5, made: 6 });
    expect(told.filter((line) => line.endsWith("logging in again")).length).toBeGreaterThan(0);
    expect(await leftovers()).toEqual([]);
  });

  test.each([1, 2, 3, 4])("wherever the connection is cut, a program runs once (%i)", async (round) => {
    // The login takes some 3 KB; so these fall into the login, the start, the output and the end.
    const bytes = Array.from({ length: 4 }, () => 1500 + Math.floor(Math.random() * 4500));
    await using proxy = await startCuttingProxy(sshd.address.port, bytes);
    await using held = hold(proxy.port);
    const path = `${sshd.directory}/ran-${round}`;
    const program = `echo once >>${path}; echo begun; echo end >&2; exit ${round}`;
    const result = await runHeld(held, { ...base, program });
    expect(result, `cut after ${bytes.join(", ")}`).toEqual({
      code: round,
      signal: null,
      stdout: "begun\n",
      stderr: "end\n",
    });
    expect(await readFile(path, "utf8")).toBe("once\n");
    expect(await leftovers()).toEqual([]);
  });

  test("a program goes on while there is no connection, and what it wrote meanwhile is read", async () => {
    await using proxy = await startCuttingProxy(sshd.address.port);
    await using held = hold(proxy.port);
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      if (line === "1") proxy.cut();
    };
    const program = "echo 1; sleep 0.5; echo 2; echo 3";
    expect((await runHeld(held, { ...base, program, onLine })).stdout).toBe("1\n2\n3\n");
    expect(lines).toEqual(["1", "2", "3"]);
  });

  test("a connection that falls silent is given up within half a minute, and the program goes on", async () => {
    await using proxy = await startCuttingProxy(sshd.address.port);
    const told: string[] = [];
    await using held = holdMachine(
      () => connect({ ...sshd.address, port: proxy.port }, { signal, timeoutMs: 20_000 }),
      (line) => {
        told.push(line);
        proxy.hold(false);
      },
    );
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
      if (line === "1") proxy.hold(true);
    };
    const program = "echo 1; sleep 1; echo 2; sleep 1; exit 6";
    expect(await runHeld(held, { ...base, program, onLine })).toMatchObject({ code: 6 });
    expect(lines).toEqual(["1", "2"]);
    expect(told).toEqual([expect.stringMatching(/was lost: Keepalive timeout; logging in again$/)]);
  }, 90_000);

  test("an abort ends all that was started, also after a cut, and leaves nothing", async () => {
    await using proxy = await startCuttingProxy(sshd.address.port);
    await using held = hold(proxy.port);
    const stop = new AbortController();
    const reason = new Problem("interrupted", "SIGINT");
    const program = `trap '' TERM
(setsid sh -c 'trap "" TERM; sleep 4801.${mark}; sleep 4802.${mark}') &
echo 1; sleep 0.3; echo 2; sleep 4803.${mark}; sleep 4804.${mark}`;
    const onLine = (line: string): void => {
      if (line === "1") proxy.cut();
      else stop.abort(reason);
    };
    await expect(runHeld(held, { ...base, program, onLine, signal: stop.signal })).rejects.toBe(reason);
    expect(await processesLike(napping)).toEqual([]);
    expect(await leftovers()).toEqual([]);
  });

  test.skipIf(!haveBusybox).each([
    ["setsid", []],
    ["no setsid", ["setsid"]],
  ] as const)(
    "busybox is enough, with %s (skipped where busybox is missing)",
    { timeout: 60_000 },
    async (_, without) => {
      await using tools = await newBusybox(without);
      const login = `env -i PATH=${tools.path} HOME=/ TMPDIR=/tmp ${tools.path}/sh -c "$SSH_ORIGINAL_COMMAND"`;
      await using small = await startSshd([`ForceCommand ${login}`]);
      await using proxy = await startCuttingProxy(small.address.port, [6000, 9000]);
      const address = { ...small.address, port: proxy.port };
      await using held = holdMachine(async () =>
        watched(await connect(address, { signal, timeoutMs: 20_000 })),
      );
      const program = `i=0; while [ $i -lt 500 ]; do i=$((i + 1)); echo $i "$1"; done
readlink /proc/$$/exe; sleep 1; exit 3`;
      const result = await runHeld(held, { ...base, program, arguments: ["x".repeat(30)] });
      const lines = result.stdout.trimEnd().split("\n");
      expect(lines.pop()).toMatch(/busybox$/);
      expect(lines).toEqual(Array.from({ length: 500 }, (__, i) => `${i + 1} ${"x".repeat(30)}`));
      expect([result.code, proxy.cuts]).toEqual([3, 2]);
      const stop = new AbortController();
      const aborted = runHeld(held, {
        ...base,
        // Only KILL ends it.
        program: `trap '' TERM; echo on; sleep 4806.${mark}`,
        signal: stop.signal,
        onLine: () => stop.abort(new Problem("interrupted", "SIGINT")),
      });
      await expect(aborted).rejects.toMatchObject({ code: "interrupted" });
      expect(await processesLike(new RegExp(`sleep 4806[.]${mark}$`))).toEqual([]);
      expect(await leftovers()).toEqual([]);
    },
  );

  test("a machine that cannot be logged in to any more is the end of it", async () => {
    const other = await startSshd();
    await using held = holdMachine(() => connect(other.address, { signal, timeoutMs: 1000 }));
    let directory = "";
    const onLine = (line: string): void => {
      directory = line;
      void other[Symbol.asyncDispose]()
        .then(() => held.machine())
        .then((machine) => machine[Symbol.asyncDispose]());
    };
    const running = runHeld(held, { ...base, program: 'dirname "$0"; sleep 1', onLine });
    await expect(running).rejects.toMatchObject({ code: "file-unreadable" });
    // The machine is still here, only its server is not.
    await expect.poll(() => readdir(directory), { timeout: 10_000 }).toContain("exit");
    await rm(directory, { recursive: true });
  });
});

/** A directory of nothing but the commands of busybox. */
async function newBusybox(without: readonly string[]): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "imgspec-busybox-"));
  await promisify(execFile)("busybox", ["--install", "-s", path]);
  await Promise.all(without.map((name) => rm(join(path, name))));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

/** The names of what ran here: others may run at the same time on this machine. */
const mine = new Set<string>();

function watched(machine: Machine): Machine {
  const run = machine.run.bind(machine);
  machine.run = (command, options) => {
    for (const [name] of command.matchAll(/imgspec-[0-9a-f]{24}/g)) mine.add(name);
    return run(command, options);
  };
  return machine;
}

/** What held commands have in the directories where they make theirs, or run. */
async function leftovers(): Promise<string[]> {
  const names = await Promise.all(["/dev/shm", "/run", "/tmp"].map((path) => readdir(path).catch(() => [])));
  const running = await processesLike(/imgspec-[0-9a-f]{24}/);
  expect(mine.size).toBeGreaterThan(0);
  return [...names.flat(), ...running].filter((one) => [...mine].some((name) => one.includes(name)));
}
