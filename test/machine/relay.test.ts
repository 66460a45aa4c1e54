import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HeldMachine, holdMachine } from "../../src/machine/held-machine.ts";
import { makeKeyPair } from "../../src/machine/key-pair.ts";
import { type Relay, startRelay } from "../../src/machine/relay.ts";
import { connect } from "../../src/machine/ssh.ts";
import { toSshConfig } from "../../src/machine/ssh-config.ts";
import { processesLike } from "../help/processes.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(60_000);
const mark = process.pid;

describe.skipIf(!haveSshd)("OpenSSH's programs through a relay (skipped where sshd is missing)", () => {
  let sshd: Sshd;
  let held: HeldMachine;
  let relay: Relay;
  let folder: string;
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    // The folder has a blank, as many a user's has.
    folder = await mkdtemp(join(tmpdir(), "imgspec relay-"));
    sshd = await startSshd(["Subsystem sftp internal-sftp"]);
    held = holdMachine(() => connect(sshd.address, { signal, timeoutMs: 20_000 }));
    relay = await startRelay(held, "somebody");
    await writeFile(at("key"), relay.privateKey, { mode: 0o600 });
    await writeFile(at("known"), `imgspec ${relay.hostKey}\n`);
    await writeConfig(at("config"), at("key"));
  });
  afterAll(async () => {
    await relay[Symbol.asyncDispose]();
    await held[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  test("a command has its input, outputs and exit code", async () => {
    const ended = await ssh("cat; echo err >&2; exit 7", { input: "grüße\n" });
    expect(ended).toEqual({ code: 7, stdout: "grüße\n", stderr: "err\n" });
  });

  test("a mebibyte goes there and comes back as it was, many times at once", async () => {
    const bytes = Array.from({ length: 16_384 }, (_, line) => `${String(line).padStart(63, "x")}\n`).join("");
    const ended = await Promise.all(Array.from({ length: 5 }, () => ssh("cat", { input: bytes })));
    expect(ended.map(({ code, stdout }) => [code, stdout === bytes])).toEqual(
      Array.from({ length: 5 }, () => [0, true]),
    );
  });

  test("a terminal is asked for there, and a signal that ends a command is told", async () => {
    const tty = await ssh("tty; echo $TERM", { options: ["-tt"], environment: { TERM: "vt220" } });
    expect(tty.stdout).toMatch(/^\/dev\/pts\/\d+\r\nvt220\r\n$/);
    // OpenSSH's client knows of no other way to say so.
    expect((await ssh("kill -TERM $$")).code).toBe(255);
  });

  test("scp, old and new, and sftp carry files both ways", async () => {
    const text = "content\n".repeat(5000);
    await writeFile(at("sent"), text);
    const there = join(sshd.directory, "there");
    expect(await tool("scp", ["-q", "-O", at("sent"), `box:${there}.scp`])).toMatchObject({ code: 0 });
    expect(await tool("scp", ["-q", "-s", at("sent"), `box:${there}.sftp`])).toMatchObject({ code: 0 });
    expect(await readFile(`${there}.scp`, "utf8")).toBe(text);
    expect(await readFile(`${there}.sftp`, "utf8")).toBe(text);
    const batch = `get ${there}.scp "${at("got")}"\n`;
    expect(await tool("sftp", ["-q", "-b", "-", "box"], { input: batch })).toMatchObject({ code: 0 });
    expect(await readFile(at("got"), "utf8")).toBe(text);
  });

  test("a client that goes away takes its command along", async () => {
    const child = spawn("ssh", ["-F", at("config"), "box", `echo begun; sleep 951.${mark}`]);
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await expect
      .poll(() => processesLike(new RegExp(`^sleep 951[.]${mark}$`)), { timeout: 5000 })
      .toEqual([]);
  });

  test("another key is refused, and a relay with another host key is not talked to", async () => {
    await makeKeyPair(at("other"), "other");
    await writeConfig(at("strange"), at("other"));
    const refused = await tool("ssh", ["box", "true"], { config: at("strange") });
    expect(refused).toMatchObject({ code: 255, stderr: expect.stringContaining("Permission denied") });
    await using second = await startRelay(held, "somebody");
    const elsewhere = await ssh("true", { options: ["-p", String(second.port)] });
    expect(elsewhere.stderr).toContain("Host key verification failed");
  });

  test("after a lost connection it logs in again, and what was cut is told as 255", async () => {
    const running = ssh(`echo $PPID; sleep 952.${mark}`);
    await expect.poll(() => processesLike(new RegExp(`^sleep 952[.]${mark}$`))).not.toEqual([]);
    await (await held.machine())[Symbol.asyncDispose]();
    expect((await running).code).toBe(255);
    expect(await ssh("echo back")).toMatchObject({ code: 0, stdout: "back\n" });
  });

  test("when it closes its clients end", async () => {
    const short = await startRelay(held, "somebody");
    await writeFile(at("short-key"), short.privateKey, { mode: 0o600 });
    const files = { key: at("short-key"), knownHosts: at("short-known") };
    await writeFile(files.knownHosts, `imgspec ${short.hostKey}\n`);
    await writeFile(at("short"), toSshConfig({ ...files, port: short.port, user: "somebody" }));
    const running = tool("ssh", ["box", `echo begun; sleep 953.${mark}`], { config: at("short") });
    await expect.poll(() => processesLike(new RegExp(`^sleep 953[.]${mark}$`))).not.toEqual([]);
    await short[Symbol.asyncDispose]();
    expect((await running).code).toBe(255);
    await expect
      .poll(() => processesLike(new RegExp(`^sleep 953[.]${mark}$`)), { timeout: 5000 })
      .toEqual([]);
  });

  async function writeConfig(path: string, key: string): Promise<void> {
    const { port } = relay;
    await writeFile(path, toSshConfig({ port, user: "somebody", key, knownHosts: at("known") }));
  }

  function ssh(
    command: string,
    given: Given & { readonly options?: readonly string[] } = {},
  ): Promise<Ended> {
    return tool("ssh", [...(given.options ?? []), "box", command], given);
  }

  function tool(name: string, words: readonly string[], given: Given = {}): Promise<Ended> {
    const env = { ...process.env, ...given.environment };
    const child = spawn(name, ["-F", given.config ?? at("config"), ...words], { env });
    child.stdin.on("error", () => undefined).end(given.input ?? "");
    return endOf(child);
  }
});

type Given = {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly config?: string;
};
type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

async function endOf(child: ChildProcess): Promise<Ended> {
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      texts[name] += chunk;
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, ...texts };
}
