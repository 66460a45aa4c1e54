import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldMachine, holdMachine } from "../../src/machine/held-machine.ts";
import type { Machine } from "../../src/machine/machine.ts";
import { runScript, type ScriptOptions } from "../../src/machine/script.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(120_000);
/** Makes the processes of this run known from those of another one on the same machine. */
const mark = process.pid;
const napping = new RegExp(`^sleep 47\\d\\d[.]${mark}$`);
const base: Omit<ScriptOptions, "text"> = { env: {}, sudo: false, workdir: null, timeoutSeconds: 30, signal };

describe.skipIf(!haveSshd)("over OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  let held: HeldMachine;
  let machine: Machine;
  let directory: string;

  beforeAll(async () => {
    sshd = await startSshd();
    held = holdMachine(() => connect(sshd.address, { signal, timeoutMs: 20_000 }));
    machine = await held.machine();
    directory = await mkdtemp(join(tmpdir(), "imgspec-script-test-"));
  });
  afterAll(async () => {
    await held[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test("a script runs with its own interpreter, in its directory, and its exit code comes back", async () => {
    const text = '#!/usr/bin/awk -f\nBEGIN { while ((getline line < "mark") > 0) print line; exit 7 }\n';
    await writeFile(join(directory, "mark"), "here\n");
    const result = await runScript(held, { ...base, text, workdir: directory });
    expect(result).toEqual({ code: 7, signal: null, stdout: "here\n", stderr: "" });
  });

  test("a script without a shebang is a program for sh, with nothing on its stdin", async () => {
    const { stdout } = await runScript(held, { ...base, text: "cat; echo done\n" });
    expect(stdout).toBe("done\n");
  });

  test("a script that a signal ends says nothing but what it said", async () => {
    const result = await runScript(held, { ...base, text: "echo on >&2; kill -KILL $$" });
    expect(result).toEqual({ code: 137, signal: "KILL", stdout: "", stderr: "on\n" });
  });

  test("a script is any bytes, with a mode and a name of its own", async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
    const text = Buffer.concat([Buffer.from('#!/bin/sh\ntail -n +3 "$0" | od -An -v -tx1\nexit\n'), bytes]);
    const { stdout } = await runScript(held, { ...base, text });
    // The third line is the exit; what follows is data.
    expect(Buffer.from(stdout.replace(/\s/g, ""), "hex").subarray("exit\n".length)).toEqual(bytes);
  });

  test("values of the environment arrive exactly, whatever is in them", async () => {
    const value = 'it\'s "$HOME" `id` \\ \n ü\n\n';
    const text = `printf '%s' "$ODD" | od -An -tx1 | tr -d ' \\n'`;
    const { stdout } = await runScript(held, { ...base, text, env: { ODD: value } });
    expect(Buffer.from(stdout, "hex").toString()).toBe(value);
  });

  test("no process ever has a value of the environment among its arguments", async () => {
    const canary = "canary-5e1f0c";
    const look = `sleep 0.3; for f in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$f; echo; done 2>/dev/null`;
    const scan = machine.run(`i=0; while [ $i -lt 8 ]; do ${look.replace("0.3", "0.1")}; i=$((i+1)); done`, {
      signal,
    });
    const { stdout } = await runScript(held, { ...base, text: look, env: { TOKEN: canary } });
    expect(stdout).toContain("imgspec-");
    expect(stdout).not.toContain(canary);
    const scanned = await scan;
    expect(scanned.stdout).toContain("sleep");
    expect(scanned.stdout).not.toContain(canary);
  });

  test("nothing of a script is left after it ended, however it ended", async () => {
    const path = async (text: string, options: Partial<ScriptOptions> = {}): Promise<string> => {
      let told = "";
      const onLine = (line: string): void => {
        told = line;
      };
      await runScript(held, { ...base, ...options, text, onLine }).catch(() => undefined);
      return told;
    };
    const paths = [
      await path('echo "$0"'),
      await path('echo "$0"; exit 3'),
      await path('echo "$0"; kill -KILL $$'),
      await path('echo "$0"; sleep 30', { timeoutSeconds: 5 }),
    ];
    expect(paths).toEqual(paths.map(() => expect.stringMatching(/\/script$/)));
    const { stdout } = await machine.run(
      `ls -d ${paths.map((one) => one.replace("/script", "")).join(" ")}`,
      { signal },
    );
    expect(stdout).toBe("");
  });

  test("a script that takes too long is ended with all that it started", async () => {
    const text = `trap '' TERM; (trap '' TERM; sleep 4721.${mark}; sleep 4722.${mark}) & sleep 4723.${mark}; sleep 4724.${mark}`;
    await expect(runScript(held, { ...base, text, timeoutSeconds: 1 })).rejects.toMatchObject({
      code: "command-timeout",
      message: "the script did not end within 1 s",
    });
    expect(await processesLike(napping)).toEqual([]);
  });

  test("an aborted script ends, and rejects with the reason", async () => {
    const stop = new AbortController();
    const reason = new Problem("interrupted", "SIGINT");
    const text = `echo on; sleep 4725.${mark}`;
    const run = runScript(held, { ...base, text, signal: stop.signal, onLine: () => stop.abort(reason) });
    await expect(run).rejects.toBe(reason);
    expect(await processesLike(napping)).toEqual([]);
  });

  test("a script goes on when the connection is cut five times", async () => {
    const cuts = Array.from({ length: 5 }, () => 5000 + Math.floor(Math.random() * 10_000));
    await using proxy = await startCuttingProxy(sshd.address.port, cuts);
    await using other = holdMachine(() =>
      connect({ ...sshd.address, port: proxy.port }, { signal, timeoutMs: 20_000 }),
    );
    const lines: string[] = [];
    const text = "i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); echo $i $WORD; done; sleep 0.5; exit 4";
    const onLine = (line: string): void => void lines.push(line);
    const { code } = await runScript(other, { ...base, text, env: { WORD: "x".repeat(100) }, onLine });
    expect({ code, cuts: proxy.cuts }).toEqual({ code: 4, cuts: 5 });
    expect(lines).toEqual(Array.from({ length: 2000 }, (_, i) => `${i + 1} ${"x".repeat(100)}`));
  });

  test("a daemon that keeps the outputs open does not keep the script from ending", async () => {
    const result = await runScript(held, { ...base, text: "sleep 12 & echo started" });
    expect(result).toMatchObject({ code: 0, stdout: "started\n" });
  });

  test("the script's file belongs to its user alone", async () => {
    const text = `#!/bin/sh\nstat -c '%a' "$0" "$(dirname "$0")"`;
    const { stdout } = await runScript(held, { ...base, text });
    expect(stdout).toBe("700\n700\n");
  });

  test("sudo gets the environment too, and its refusal is told before anything runs", async () => {
    const { stdout: id } = await machine.run("id -u; command -v sudo; sudo -n true 2>/dev/null && echo may", {
      signal,
    });
    const may = id.startsWith("0\n") || id.includes("may");
    const run = runScript(held, {
      ...base,
      sudo: true,
      env: { WORD: "x y" },
      text: 'echo "$(id -u) $WORD"',
    });
    if (may) expect((await run).stdout).toBe("0 x y\n");
    else await expect(run).rejects.toMatchObject({ code: "command-failed" });
  });

  test("a working directory that is not there fails the script, not something else", async () => {
    const result = await runScript(held, { ...base, text: "echo never", workdir: "/not/there" });
    expect(result.code).not.toBe(0);
    expect(result.stdout).toBe("");
    expect(result.stderr).toContain("/not/there");
  });

  test("a name that no shell takes is refused before anything is sent", async () => {
    await expect(runScript(held, { ...base, text: "", env: { "A-B": "x" } })).rejects.toMatchObject({
      code: "spec-invalid",
    });
  });
});
