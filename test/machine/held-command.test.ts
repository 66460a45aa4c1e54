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

  const hold = (port = sshd.address.port, lines: string[] = []): HeldMachine =>
    holdMachine(
      async () => watched(await connect({ ...sshd.address, port }, { signal, timeoutMs: 20_000 })),
      (line) => lines.push(line),
    );

  test("a program gets its arguments and its stdin, and its outputs and exit code come back", async () => {
    await using held = hold();
    const result = await runHeld(held, {
      ...base,
      program: `printf '%s|' "$@"; cat; printf '\\303\\274\\377\\n' >&2; exit 7`,
      arguments: ["a b", "", "it's"],
      stdin: "line 1\n\n  line 3\\n\n\n",
    });
    expect(result).toEqual({
      code: 7,
      signal: null,
      stdout: "a b||it's|line 1\n\n  line 3\\n\n\n",
      stderr: "ü\ufffd\n",
    });
  });

  test("a program of a megabyte, and as much of stdin, arrive", async () => {
    await using held = hold();
    const filler = `# ${"x".repeat(78)}\n`.repeat(13_000);
    const stdin = "y".repeat(1_000_000);
    const result = await runHeld(held, { ...base, program: `${filler}cat | wc -c`, stdin });
    expect(result).toMatchObject({ code: 0, stdout: "1000000\n" });
  });

  test("a program may open /dev/stderr anew, as with sshd", async () => {
    await using held = hold();
    const program = "echo 1 >&2; echo 2 >/dev/stderr; echo 3 >/dev/stdout; echo 4; echo 5 >&2";
    expect(await runHeld(held, { ...base, program })).toMatchObject({
      stdout: "3\n4\n",
      stderr: "1\n2\n5\n",
    });
  });

  test("the program has the umask, the directory and the signals of a login", async () => {
    await using held = hold();
    const program = `umask; pwd; trap '' USR2; sh -c 'trap "" USR2; kill -USR2 $$; kill -HUP $$; echo never'; echo $?`;
    const machine = await held.machine();
    const { stdout } = await machine.run("umask; pwd; echo 129", { signal });
    expect((await runHeld(held, { ...base, program })).stdout).toBe(stdout);
  });

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

  test("a program that a signal ended is told as a shell tells it", async () => {
    await using held = hold();
    expect(await runHeld(held, { ...base, program: "kill -KILL $$" })).toMatchObject({
      code: 137,
      signal: "KILL",
    });
  });

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

  test("what was read of a long output takes no memory of the machine any more", async () => {
    await using held = hold();
    const program = `head -c 80000000 /dev/zero | tr '\\0' x; echo; i=0
kib() { du -k "$(dirname "$0")/out" | cut -f 1; }
while [ "$(kib)" -gt 32000 ] && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.2; done
kib`;
    let bytes = 0;
    const onLine = (line: string): void => {
      if (line.startsWith("x")) bytes += line.length;
    };
    const { stdout } = await runHeld(held, { ...base, program, onLine });
    const kib = stdout.split("\n").at(-2) ?? "";
    expect(bytes).toBe(80_000_000);
    expect(Number(kib)).toBeLessThan(32_001);
  });

  test("a daemon that keeps the outputs open does not keep the program from ending", async () => {
    await using held = hold();
    const result = await runHeld(held, { ...base, program: "sleep 12 & echo started" });
    expect(result).toMatchObject({ code: 0, stdout: "started\n" });
  });

  test("what is on stdin is in no argument, no environment and no file while the program waits", async () => {
    await using held = hold();
    const canary = `canary-${mark}-5e1f0c`;
    const found: string[] = [];
    let directory = "";
    const onLine = (line: string): void => {
      if (directory === "") directory = line;
    };
    const running = runHeld(held, {
      ...base,
      program: `dirname "$0"; sleep 1; read -r x; echo "\${#x}"`,
      stdin: `${canary}\n`,
      onLine,
    });
    await expect.poll(() => directory, { timeout: 20_000 }).toMatch(/imgspec-/);
    for (const name of await readdir(directory)) {
      if (!/alive|pipe|lock/.test(name)) found.push(await readFile(`${directory}/${name}`, "utf8"));
    }
    for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
      for (const file of ["cmdline", "environ"]) {
        found.push(await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""));
      }
    }
    expect(found.join("\n")).toContain(directory);
    expect(found.join("\n")).not.toContain(canary);
    expect((await running).stdout).toContain(`\n${canary.length}\n`);
  });

  test("a directory that vanished under a program is told as that", async () => {
    await using held = hold();
    await expect(runHeld(held, { ...base, program: 'rm -rf "$(dirname "$0")"' })).rejects.toMatchObject({
      code: "command-failed",
      message: "the directory of a command vanished while it ran",
    });
  });

  test("a killed watcher is told as that, and not waited for", async () => {
    await using held = hold();
    const program = `echo on; kill -KILL $PPID; sleep 4805.${mark}`;
    await expect(runHeld(held, { ...base, program })).rejects.toMatchObject({
      message: "the shell that watched over a command was killed",
    });
    expect(await processesLike(napping)).toEqual([]);
  });

  test("what the shell of the user prints before is not taken for the program's", async () => {
    await using greeting = await startSshd([
      `ForceCommand echo hello; echo bye >&2; eval "$SSH_ORIGINAL_COMMAND"`,
    ]);
    await using held = holdMachine(() => connect(greeting.address, { signal, timeoutMs: 20_000 }));
    expect((await (await held.machine()).run("true", { signal })).stdout).toBe("hello\n");
    expect(await runHeld(held, { ...base, program: "echo 1; echo 2 >&2" })).toMatchObject({
      stdout: "1\n",
      stderr: "2\n",
    });
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
