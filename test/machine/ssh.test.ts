import { createHash } from "node:crypto";
import { userInfo } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../src/machine/machine.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { startConnectProxy } from "../help/connect-proxy.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(60_000);
/** Makes the processes of this run known from those of another one on the same machine. */
const mark = process.pid;
const napping = new RegExp(`^sleep 47\\d\\d[.]${mark}$`);

describe.skipIf(!haveSshd)("against OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  let machine: Machine;

  beforeAll(async () => {
    sshd = await startSshd();
    machine = await connect(sshd.address, { signal, timeoutMs: 20_000 });
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
  });

  test("a command's outputs and exit code come back", async () => {
    const result = await machine.run("echo out; echo err >&2; exit 7", { signal });
    expect(result).toEqual({ code: 7, signal: null, stdout: "out\n", stderr: "err\n" });
  });

  test("the exit of a command that is over at once is never missed", async () => {
    const codes = await Promise.all(
      Array.from({ length: 20 }, async (_, code) => {
        await using other = await connect(sshd.address, { signal, timeoutMs: 20_000 });
        return (await other.run(`exit ${code}`, { signal })).code;
      }),
    );
    expect(codes).toEqual(codes.map((_, code) => code));
  });

  test("a command that a signal ended has no code but a signal", async () => {
    const result = await machine.run("kill -KILL $$", { signal });
    expect(result).toEqual({ code: null, signal: "KILL", stdout: "", stderr: "" });
  });

  test("stdin reaches the command and then ends", async () => {
    const { stdout } = await machine.run("cat; echo over", { signal, stdin: "grüße\n" });
    expect(stdout).toBe("grüße\nover\n");
  });

  test("lines are told as they come, whole, each with where it came from", async () => {
    const lines: string[] = [];
    await machine.run(`printf 'a\\303'; sleep 0.1; printf '\\244b\\n10%%\\r99%%\\nend'; echo bad >&2`, {
      signal,
      onLine: (line, from) => lines.push(`${from}: ${line}`),
    });
    expect(lines.toSorted()).toEqual(["stderr: bad", "stdout: 99%", "stdout: aäb", "stdout: end"]);
  });

  // As an ordinary user sshd cannot hand a terminal over, and hangs up.
  test.skipIf(userInfo().uid !== 0)(
    "a command with a pty sees a terminal, one without does not (skipped unless root)",
    async () => {
      const { code } = await machine.run("test -t 1", { signal, pty: true });
      const { code: without } = await machine.run("test -t 1", { signal });
      expect([code, without]).toEqual([0, 1]);
    },
  );

  test("the host key that was seen can be pinned", () => {
    expect(sshd.hostKey.startsWith(machine.hostKey)).toBe(true);
  });

  test("100 MB arrive unchanged", async () => {
    const command = "head -c 100000000 /dev/zero | tr '\\0' 'x'";
    const { stdout, result } = await machine.stream(command, { signal });
    const hash = createHash("sha256");
    for await (const chunk of stdout) hash.update(chunk);
    expect((await result).code).toBe(0);
    expect(hash.digest("hex")).toBe(createHash("sha256").update("x".repeat(100_000_000)).digest("hex"));
  });

  test("a command waits for a reader that takes its time", async () => {
    const { stdout, result } = await machine.stream("head -c 50000000 /dev/zero; echo sent >&2", { signal });
    let ended = false;
    void result.then(() => {
      ended = true;
    });
    const reader = stdout[Symbol.asyncIterator]();
    let bytes = (await reader.next()).value?.length ?? 0;
    await machine.run("sleep 0.3", { signal });
    expect(ended).toBe(false);
    for (let next = await reader.next(); next.done !== true; next = await reader.next()) {
      bytes += next.value.length;
    }
    expect(bytes).toBe(50_000_000);
    expect((await result).stderr).toBe("sent\n");
  });

  test("a command whose output is no longer wanted ends on the machine", async () => {
    const { stdout } = await machine.stream(`exec sh -c 'echo first; sleep 4711.${mark}'`, { signal });
    for await (const chunk of stdout) {
      expect(Buffer.from(chunk).toString()).toBe("first\n");
      break;
    }
    await expect.poll(() => processesLike(napping), { timeout: 10_000 }).toEqual([]);
  });

  test("an aborted command rejects with the reason and leaves no process, even one that ignores TERM", async () => {
    const stop = new AbortController();
    const command = `trap '' TERM; echo on; sleep 4712.${mark} & sleep 4713.${mark}; sleep 4714.${mark}`;
    const run = machine.run(command, {
      signal: stop.signal,
      onLine: () => stop.abort(new Problem("timeout", "x")),
    });
    await expect(run).rejects.toThrow(new Problem("timeout", "x"));
    expect(await processesLike(napping)).toEqual([]);
  });

  test("closing a machine ends what it still runs", async () => {
    const other = await connect(sshd.address, { signal, timeoutMs: 20_000 });
    const run = other.run(`sleep 4715.${mark}`, { signal });
    const told = expect(run).rejects.toMatchObject({ code: "connect-failed" });
    await other[Symbol.asyncDispose]();
    await told;
    expect(await processesLike(napping)).toEqual([]);
  });

  test("a lost connection is told to whatever is running", async () => {
    await using proxy = await startConnectProxy();
    await using other = await connect({ ...sshd.address, proxy: proxy.url }, { signal, timeoutMs: 20_000 });
    const run = other.run("echo on; exec sleep 2", { signal, onLine: () => proxy.cut() });
    await expect(run).rejects.toMatchObject({
      code: "connect-failed",
      message: expect.stringMatching(/^the connection to .* was lost: /),
    });
    await expect(other.run("true", { signal })).rejects.toMatchObject({ code: "connect-failed" });
  });

  test("a broken stream never looks complete", async () => {
    await using proxy = await startConnectProxy();
    await using other = await connect({ ...sshd.address, proxy: proxy.url }, { signal, timeoutMs: 20_000 });
    const { stdout, result } = await other.stream("echo first; exec sleep 2", { signal });
    const reading = (async () => {
      for await (const _ of stdout) proxy.cut();
    })();
    await expect(reading).rejects.toMatchObject({ code: "connect-failed" });
    await expect(result).rejects.toMatchObject({ code: "connect-failed" });
  });
});
