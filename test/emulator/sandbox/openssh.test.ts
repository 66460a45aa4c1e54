import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keys, type LoggedIn, newRig, whyNot } from "./rig.ts";

const why = (await whyNot()) ?? (spawnSync("ssh", ["-V"]).error ? "no ssh here" : undefined);

describe.skipIf(why !== undefined)(`OpenSSH's client${why ? ` (skipped: ${why})` : ""}`, () => {
  const rig = newRig();
  const directory = mkdtempSync(join(tmpdir(), "imgspec-openssh-"));
  let instance: LoggedIn;
  let options: readonly string[];
  beforeAll(async () => {
    instance = await rig.launch();
    const { port, hostKey } = instance.guest;
    writeFileSync(join(directory, "key"), keys.private, { mode: 0o600 });
    writeFileSync(join(directory, "known"), `[127.0.0.1]:${port} ${hostKey}\n`);
    const settings = [
      "StrictHostKeyChecking=yes",
      `UserKnownHostsFile=${join(directory, "known")}`,
      "BatchMode=yes",
    ];
    options = ["-F", "none", "-i", join(directory, "key"), ...settings.flatMap((setting) => ["-o", setting])];
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("knows the host key and passes input, output and exit code", async () => {
    expect(await ssh(["cat; echo err >&2; exit 3"], "in")).toEqual([3, "in", "err\n"]);
  });

  test("gets a terminal when it insists", async () => {
    expect((await ssh(["-tt", "tty"], "")).slice(0, 2)).toEqual([0, "/dev/pts/0\r\n"]);
  });

  test("copies files there and back", async () => {
    const content = "x".repeat(3_000_000);
    writeFileSync(join(directory, "there"), content);
    const { port } = instance.guest;
    const copy = (from: string, to: string): Promise<Result> =>
      run("scp", ["-O", "-q", "-P", String(port), ...options, from, to], "");
    expect(await copy(join(directory, "there"), "ec2-user@127.0.0.1:/tmp/there")).toEqual([0, "", ""]);
    expect(await copy("ec2-user@127.0.0.1:/tmp/there", join(directory, "back"))).toEqual([0, "", ""]);
    expect(readFileSync(join(directory, "back"), "utf8") === content).toBe(true);
  });

  function ssh(words: readonly string[], stdin: string): Promise<Result> {
    return run("ssh", ["-p", String(instance.guest.port), ...options, "ec2-user@127.0.0.1", ...words], stdin);
  }
});

type Result = readonly [code: number, stdout: string, stderr: string];

function run(command: string, words: readonly string[], stdin: string): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(command, [...words], { maxBuffer: 16e6 }, (error, stdout, stderr) =>
      resolve([typeof error?.code === "number" ? error.code : 0, stdout, stderr]),
    );
    child.stdin?.end(stdin);
  });
}
