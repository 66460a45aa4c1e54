import { execFile } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toProgram } from "./program.ts";
import { whyNot } from "./rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a machine${why ? ` (skipped: ${why})` : ""}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "imgspec-check-"));
  let program = "";
  beforeAll(async () => {
    program = await toProgram(
      directory,
      "await host.check().then(() => console.log('fine'), (e) => console.log([e.code, e.message, e.hint].join('|')));",
    );
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test("whose user namespaces are used up or off is told which switch to set", async () => {
    const told = await confined("echo 0 >/proc/sys/user/max_user_namespaces");
    expect(told).toMatch(/^sandbox-unavailable\|sandbox instances cannot run here: .*unshare failed/);
    expect(told).toContain("sudo sysctl -w user.max_user_namespaces=");
  });

  test("that lacks a tool is told the tool and its package", async () => {
    const told = await confined("mount --bind /dev/null $(command -v debugfs)");
    expect(told).toBe(
      "sandbox-unavailable|sandbox instances need debugfs (e2fsprogs)|install what is missing: apt-get install e2fsprogs\n",
    );
  });

  test("where we are root of nothing but ourselves runs instances", async () => {
    expect(await confined("true")).toBe("fine\n");
  });

  /** Runs the program where we are root of a namespace, after something was done to it. */
  async function confined(spoil: string): Promise<string> {
    const script = `${spoil} && exec "$1" "$2" "$3"`;
    const { stdout } = await promisify(execFile)(
      "unshare",
      [
        "--map-root-user",
        "--mount",
        "/bin/sh",
        "-c",
        script,
        "sh",
        process.execPath,
        program,
        join(directory, "s"),
      ],
      { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } },
    );
    return stdout;
  }
});
