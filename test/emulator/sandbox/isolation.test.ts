import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { quote } from "../../../src/emulator/sandbox/quote.ts";
import { type LoggedIn, newRig, whyNot } from "./rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`an instance${why ? ` (skipped: ${why})` : ""}`, () => {
  const rig = newRig();
  let one: LoggedIn;
  let other: LoggedIn;
  beforeAll(async () => {
    [one, other] = await Promise.all([rig.launch(), rig.launch({ hostname: "other" })]);
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  test("has files, processes and a name of its own", async () => {
    await one.run(
      "echo mine >/etc/mine; rm /etc/motd; sleep 4713 >/dev/null 2>&1 & until grep -qszx 471[3] /proc/[0-9]*/cmdline; do sleep 0.1; done",
    );
    expect((await one.run("cat /etc/mine; hostname")).stdout).toBe("mine\nip-10-0-0-1\n");
    expect((await other.run("ls /etc/mine; ls /etc/motd; hostname")).stdout).toBe("/etc/motd\nother\n");
    expect(await one.run("grep -lszx 471[3] /proc/[0-9]*/cmdline")).toMatchObject({ code: 0 });
    expect(await other.run("grep -lszx 471[3] /proc/[0-9]*/cmdline")).toMatchObject({ code: 1 });
  });

  test("changes nothing in the root that it was started from", async () => {
    await one.run("echo changed >/etc/os-release; rm -r /var/log; mv /etc/hosts /etc/hosts.old");
    const { path: directory } = await rig.host.baseRoot();
    expect(readFileSync(join(directory, "etc/os-release"), "utf8")).toContain("ID=imgspec-sandbox");
    expect(existsSync(join(directory, "etc/hosts"))).toBe(true);
    expect((await other.run("cat /etc/hosts; ls -d /var/log")).stdout).toContain("localhost");
  });

  test("does not see the files of the machine", async () => {
    const secret = join(rig.directory, "secret");
    writeFileSync(secret, "secret");
    const { code, stdout } = await one.run(
      `sudo cat ${secret} /proc/1/root${secret} /proc/1/cwd/../../..${secret}`,
    );
    expect([code, stdout]).toEqual([1, ""]);
    expect((await one.run("cut -d' ' -f5 /proc/self/mountinfo | grep -c ^/")).stdout).not.toBe("0\n");
    expect((await one.run("ls /home /media /srv")).stdout).toBe(
      "/home:\nadmin\ncentos\nec2-user\nubuntu\n\n/media:\n\n/srv:\n",
    );
  });

  test("does not see or signal the processes of the machine", async () => {
    const { code } = await one.run(`kill -0 ${process.pid}`);
    expect(code).toBe(1);
    // As seen from the machine its processes have other numbers: the first is always 1 inside.
    expect((await one.run("cat /proc/1/cmdline | tr '\\0' ' '")).stdout).toBe("/bin/sh -s ");
  });

  test("cannot set what is the machine's", async () => {
    const { code, stderr } = await one.run("cat /proc/sys/vm/swappiness >/proc/sys/vm/swappiness");
    expect(code).not.toBe(0);
    expect(stderr).toContain("ermission denied");
    expect((await one.run("mknod /tmp/disk b 8 0")).code).not.toBe(0);
    expect((await one.run("echo c >/proc/sysrq-trigger")).code).not.toBe(0);
  });

  test("cannot reach what listens on the machine's loopback", async () => {
    const server = createServer((socket) => socket.end("reached")).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { stdout } = await one.run(`bash -c 'cat </dev/tcp/127.0.0.1/${port}'`);
    server.close();
    expect(stdout).toBe("");
  });

  test("lets its root make an image of itself by a bind mount without what is mounted below", async () => {
    const script = [
      "mkdir -p /mnt/tree && mount --bind / /mnt/tree",
      "echo content >/srv/file",
      "truncate -s 160M /mnt/image && mke2fs -q -t ext4 -d /mnt/tree /mnt/image",
      "umount /mnt/tree",
      "debugfs -R 'cat /srv/file' /mnt/image 2>/dev/null",
      "debugfs -R 'ls /proc' /mnt/image 2>/dev/null | wc -w",
    ];
    const { stdout, stderr, code } = await one.run(`sudo sh -ec ${quote(script.join("\n"))}`);
    expect([code, stdout], stderr).toEqual([0, "content\n6\n"]);
  });
});
