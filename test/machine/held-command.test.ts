import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldCommand, runHeld } from "../../src/machine/held-command.ts";
import { type HeldMachine, holdMachine } from "../../src/machine/held-machine.ts";
import { connect } from "../../src/machine/ssh.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(300_000);
const base: Omit<HeldCommand, "program"> = { sudo: false, signal };
/** Makes the processes of this run known from those of another one on the same machine. */
const mark = process.pid;
const napping = new RegExp(`^sleep 48\\d\\d[.]${mark}$`);

describe.skipIf(!haveSshd)("over OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  const hold = (): HeldMachine => holdMachine(() => connect(sshd.address, { signal, timeoutMs: 20_000 }));

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

  test("a program that a signal ended is told as a shell tells it", async () => {
    await using held = hold();
    expect(await runHeld(held, { ...base, program: "kill -KILL $$" })).toMatchObject({
      code: 137,
      signal: "KILL",
    });
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
});
