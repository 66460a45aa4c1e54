import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { SFTPWrapper } from "ssh2";
import { afterAll, describe, expect, test } from "vitest";
import { newRig, whyNot } from "./rig.ts";

const servers = ["/usr/lib/openssh/sftp-server", "/usr/libexec/openssh/sftp-server"];
const why = (await whyNot()) ?? (servers.some(existsSync) ? undefined : "no sftp-server here");

describe.skipIf(why !== undefined)(`file transfer by SFTP${why ? ` (skipped: ${why})` : ""}`, () => {
  const directory = mkdtempSync(join(tmpdir(), "imgspec-sftp-"));
  const rig = newRig();
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("is done by the instance's own server, on the instance's own files", async () => {
    await using instance = await rig.launch();
    const sftp = await promisify<SFTPWrapper>((done) => instance.client.sftp(done))();
    const [there, back] = [join(directory, "there"), join(directory, "back")];
    writeFileSync(there, "x".repeat(2_000_000));
    await promisify<void>((done) => sftp.fastPut(there, "/srv/file", done))();
    await promisify<void>((done) => sftp.fastGet("/srv/file", back, done))();
    expect(readFileSync(back, "utf8") === readFileSync(there, "utf8")).toBe(true);
    expect((await instance.run("wc -c </srv/file")).stdout).toBe("2000000\n");
    expect(spawnSync("ls", ["/srv/file"]).status).not.toBe(0);
  });
});
