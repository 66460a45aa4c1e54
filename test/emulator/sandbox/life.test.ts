import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { toProgram } from "./program.ts";
import { connect, keys, newRig, whyNot } from "./rig.ts";

const why = await whyNot();

/** Seconds that nobody else on this machine sleeps. */
const [first, second] = [`4714.${process.pid}`, `4715.${process.pid}`];

describe.skipIf(why !== undefined)(`an instance${why ? ` (skipped: ${why})` : ""}`, () => {
  const rig = newRig();
  const scratch = mkdtempSync(join(tmpdir(), "imgspec-life-"));
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
  });

  test("puts its keys where sshd would look for them and its host key on the console, and runs its user data", async () => {
    const userData = '#!/bin/sh\necho "user data of $(hostname) as $(id -u)"\n';
    await using instance = await rig.launch({ userData });
    const { stdout } = await instance.run(
      "cat /root/.ssh/authorized_keys ~/.ssh/authorized_keys; stat -c %a ~/.ssh",
    );
    expect(stdout).toBe(`${keys.public}\n${keys.public}\n700\n`);
    await until(() => instance.guest.consoleOutput().includes("user data of ip-10-0-0-1 as 0"));
    expect(instance.guest.consoleOutput()).toContain(
      `-----BEGIN SSH HOST KEY KEYS-----\n${instance.guest.hostKey}\n-----END SSH HOST KEY KEYS-----`,
    );
    expect(instance.guest.hostKey).toMatch(/^ssh-ed25519 [\w+/=]+$/);
  });

  test("lets in only who has one of its keys, as root or ec2-user", async () => {
    await using instance = await rig.launch();
    const { port } = instance.guest;
    const [{ generateKeyPairSync }, stranger] = [(await import("ssh2")).default.utils, "ed25519" as const];
    const { private: privateKey } = generateKeyPairSync(stranger);
    await expect(connect({ port, username: "root", privateKey })).rejects.toThrow("authentication");
    await expect(connect({ port, username: "daemon", privateKey: keys.private })).rejects.toThrow(
      "authentication",
    );
    (await connect({ port, username: "root", privateKey: keys.private })).end();
  });

  test("is gone with its files and processes after a stop, which may be repeated", async () => {
    const instance = await rig.launch();
    await instance.run(`mkdir -m 0 /srv/closed; chown 12:34 /srv; nohup sleep ${first} >/dev/null 2>&1 &`);
    await until(() => findProcesses(first).length === 1);
    await Promise.all([instance.guest.stop(), instance.guest.stop()]);
    await instance.guest.stop();
    expect(findProcesses(first)).toEqual([]);
    expect(filesOf(rig.directory)).toEqual([]);
    await expect(
      connect({ port: instance.guest.port, username: "root", privateKey: keys.private }),
    ).rejects.toThrow("ECONNREFUSED");
  });

  test("can be stopped even when it holds up its own first process", async () => {
    const instance = await rig.launch();
    await instance.run("kill -STOP -1; kill -STOP $(pidof cat)");
    await instance.guest.stop();
    expect(filesOf(rig.directory)).toEqual([]);
  });

  test("that is given up while it starts leaves nothing", async () => {
    await rig.host.baseRoot();
    const reason = new Error("given up");
    await expect(rig.launch({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(filesOf(rig.directory)).toEqual([]);
  });

  test("dies with the program that started it, even if that is killed, and the next clears up", async () => {
    const program = await toProgram(
      scratch,
      `const guest = await host.start({ instanceId: "i-1", root: await host.baseRoot(), authorizedKeys: [word],
        hostname: "h", userData: null, signal: AbortSignal.timeout(20_000) });
      console.log(guest.port);`,
    );
    const directory = join(scratch, "state");
    const child = spawn(process.execPath, [program, directory, keys.public], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(child.stdout, "data")) as [Buffer];
    const client = await connect({ port: Number(port), username: "root", privateKey: keys.private });
    client.on("error", () => undefined);
    client.exec(`nohup sleep ${second} & kill -STOP $(pidof cat)`, () => undefined);
    await until(() => findProcesses(second).length === 1);
    child.kill("SIGKILL");
    await until(() => findProcesses(second).length === 0);
    client.end();
    expect(filesOf(directory)).toHaveLength(1);
    const { newSandboxHost } = await import("../../../src/emulator/sandbox/host.ts");
    await newSandboxHost({ directory }).check();
    expect(filesOf(directory)).toEqual([]);
  });
});

/** The instances' folders. */
function filesOf(directory: string): readonly string[] {
  return readdirSync(directory).flatMap((map) => readdirSync(join(directory, map, "instances")));
}

/** Processes of the whole machine that have this word as an argument, and are not yet dead. */
function findProcesses(word: string): readonly string[] {
  return readdirSync("/proc").filter((id) => {
    if (!/^\d+$/.test(id)) return false;
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").split("\0")[1] === word;
    } catch {
      return false;
    }
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(20);
}
