import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkInstance } from "../../src/stage/check-instance.ts";
import type { Assertion } from "../../src/stage/check-verdict.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { toInstance } from "../help/sshd-stage.ts";
import { newBuilder } from "../help/stage-builder.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";

const haveDpkg = existsSync("/usr/bin/dpkg-query");
const texts = { contains: [], matches: null };
const anyFile = { type: null, mode: null, owner: null, group: null, ...texts };
const anyUser = { uid: null, groups: [], home: null, shell: null };
const isSo = (assertion: Omit<Assertion, "not">): Assertion => ({ ...assertion, not: false });
const isNotSo = (assertion: Omit<Assertion, "not">): Assertion => ({ ...assertion, not: true });
const command = (run: string, change: object = {}): Omit<Assertion, "not"> => ({
  command: { run, exitCode: 0, timeoutSeconds: 20, ...texts, ...change },
});

describe.skipIf(!haveSshd)("over the sshd of this machine (skipped without one)", () => {
  let sshd: Sshd;
  let rig: StageRig;
  let directory: string;
  const at = (name: string): string => join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "imgspec check-"));
    await writeFile(at("conf"), "server {\r\n  listen 80;\n}\nno line end");
    await chmod(at("conf"), 0o640);
    await symlink("conf", at("link"));
    await symlink("nowhere", at("dangling"));
    sshd = await startSshd();
    rig = await newStageRig(newProvider({}));
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("what is as it should be passes, and that is said in one line", async () => {
    const { username, uid, homedir } = userInfo();
    const conf = { ...anyFile, path: at("conf"), type: "file", mode: "0640", owner: username };
    await check([
      isSo({ file: { ...conf, contains: ["listen 80;", "no line end"], matches: "^ +listen \\d+;$" } }),
      isSo({ file: { ...anyFile, path: at("link"), type: "link" } }),
      isSo({ file: { ...anyFile, path: at("link"), mode: "640", contains: ["server"] } }),
      isSo({ file: { ...anyFile, path: at("dangling") } }),
      isSo({ file: { ...anyFile, path: directory, type: "directory" } }),
      isNotSo({ file: { ...anyFile, path: at("missing") } }),
      isNotSo({ file: { ...anyFile, path: at("conf"), contains: ["listen 443"] } }),
      isSo(command("echo out; echo imgspec-fact 0 there no; exit 3", { exitCode: 3, matches: "^out$" })),
      isSo({ port: { number: sshd.address.port, protocol: "tcp" } }),
      isNotSo({ port: { number: 1, protocol: "udp" } }),
      isSo({ user: { ...anyUser, name: username, uid, home: homedir } }),
      isSo({ group: { name: "root", gid: 0 } }),
      isSo({ mount: { path: "/proc/", type: "proc", options: ["rw"] } }),
      isSo({ process: { name: "sshd" } }),
      isSo({ kernelParameter: { name: "kernel.ostype", value: "Linux" } }),
    ]);
    expect(rig.lines.at(-1)).toBe("all 15 assertions hold");
  });

  test("all that does not hold is told at once, with what was found", async () => {
    const failed = check([
      isSo({ file: { ...anyFile, path: at("conf"), mode: "0644", contains: ["listen 443"], matches: "^x" } }),
      isSo({ file: { ...anyFile, path: at("missing"), mode: "0644" } }),
      isNotSo({ file: { ...anyFile, path: at("conf") } }),
      isSo(command("echo oh >&2; exit 2")),
      isSo(command("sleep 30", { timeoutSeconds: 1 })),
      isSo({ package: { name: "no-such-package", version: null } }),
      isSo({ port: { number: 1, protocol: "tcp" } }),
      isSo({ user: { ...anyUser, name: "root", uid: 7, groups: ["nobody-s"] } }),
      isSo({ user: { ...anyUser, name: "no-such-user" } }),
      isSo({ mount: { path: "/proc", type: "ext4", options: ["ro"] } }),
      isSo({ process: { name: "no-such-process" } }),
      isSo({ kernelParameter: { name: "kernel.ostype", value: "Minix" } }),
      isSo({ kernelParameter: { name: "kernel.nothing", value: "1" } }),
      isSo({ group: { name: "root", gid: 0 } }),
    ]);
    await expect(failed).rejects.toMatchObject({
      code: "check-failed",
      message: expect.stringMatching(/^13 of 14 assertions of provision\[3\] do not hold: that\[0\] file /),
    });
    const told = rig.lines
      .slice(-13)
      .map((line) => line.replaceAll(directory, "DIR").replace(/has rw[^)]*/, "has rw …"));
    expect(told).toMatchInlineSnapshot(`
      [
        "that[0] file DIR/conf: its mode is 0640, not 0644, its 4 lines do not hold "listen 443", its 4 lines do not match ^x",
        "that[1] file DIR/missing: it does not exist",
        "that[2] file DIR/conf is as it must not be",
        "that[3] command "echo oh >&2; exit 2": its exit code is 2, not 0 (it said: oh)",
        "that[4] command "sleep 30": it did not end within 1 s",
        "that[5] package no-such-package: it is not installed",
        "that[6] port 1/tcp: nobody listens",
        "that[7] user root: the uid is 0, not 7, not in the group nobody-s",
        "that[8] user no-such-user: there is none of this name",
        "that[9] mount /proc: the type is proc, not ext4, it lacks the option ro (it has rw …)",
        "that[10] process no-such-process: none runs",
        "that[11] kernel parameter kernel.ostype: it is Linux, not Minix",
        "that[12] kernel parameter kernel.nothing: it is unknown, not 1",
      ]
    `);
  });

  test("what could not be looked at does not count as not so, either", async () => {
    await expect(
      check([
        isNotSo(command("sleep 30", { timeoutSeconds: 1 })),
        isNotSo({ file: { ...anyFile, path: "/proc", contains: ["x"] } }),
      ]),
    ).rejects.toMatchObject({
      message:
        '2 of 2 assertions of provision[3] do not hold: that[0] command "sleep 30": it did not end within 1 s; that[1] file /proc: it cannot be read',
    });
  });

  test.skipIf(!haveDpkg)("a package of the real dpkg is found, and its version compared", async () => {
    await check([
      isSo({ package: { name: "dpkg", version: "1.*" } }),
      isSo({ package: { name: "dpkg", version: null } }),
    ]);
    await expect(check([isSo({ package: { name: "dpkg", version: "0.1" } })])).rejects.toMatchObject({
      message: expect.stringMatching(/that\[0\] package dpkg: its version is 1\.[^,]*, not 0\.1$/),
    });
  });

  test("a check is repeated as often as the spec allows, since services need a while", async () => {
    const run = `[ -e '${at("late")}' ] || { touch '${at("late")}'; false; }`;
    await check([isSo(command(run))], 1);
    expect(rig.lines.some((line) => line.includes("provision[3] again in 1 s"))).toBe(true);
  });

  function check(assertions: readonly Assertion[], retries = 0): Promise<unknown> {
    const input = { on: toInstance(sshd), assertions, sudo: false, timeoutSeconds: 60, retries };
    return rig.stage(checkInstance, { ...input, label: "provision[3]" });
  }
});

const why = await whyNot();

test.skipIf(why !== undefined)(
  `services are asked of systemd, or of what stands in for it (skipped: ${why})`,
  async () => {
    await using builder = await newBuilder();
    const { rig, on, sh } = builder;
    const service = (name: string, enabled: boolean | null, running: boolean | null): Assertion =>
      isSo({ service: { name, enabled, running } });
    const check = (...assertions: readonly Assertion[]): Promise<unknown> =>
      rig.stage(checkInstance, {
        ...{ on, assertions, sudo: true, timeoutSeconds: 60, retries: 0 },
        label: "provision[0]",
      });
    await sh(`sudo sh -c 'mkdir -p /etc/init.d /etc/rc3.d
    printf "#!/bin/sh\\n[ -e /run/web ]\\n" >/etc/init.d/web; chmod 755 /etc/init.d/web
    ln -s ../init.d/web /etc/rc3.d/S20web; : >/run/web'`);
    await check(service("web", true, true));
    await sh("sudo rm /run/web /etc/rc3.d/S20web");
    const faults =
      "that[0] service web: it is not enabled, it does not run; that[1] service db: there is none of this name";
    await expect(check(service("web", true, true), service("db", null, null))).rejects.toMatchObject({
      message: `2 of 2 assertions of provision[0] do not hold: ${faults}`,
    });
    // Answers as systemctl(1) is documented to, for one unit that is enabled and does not run.
    await sh(`sudo sh -c 'mkdir -p /run/systemd/system; cat >/usr/bin/systemctl; chmod 755 /usr/bin/systemctl' <<'END'
#!/bin/sh
case "$*" in
"show -p LoadState web") echo LoadState=loaded ;;
"show -p LoadState "*) echo LoadState=not-found ;;
"is-enabled web") echo enabled ;;
"is-active web") echo inactive; exit 3 ;;
*) exit 1 ;;
esac
END`);
    await check(service("web", true, false));
    await expect(check(service("web", false, true), service("db", null, null))).rejects.toMatchObject({
      message: expect.stringContaining(
        "service web: it is enabled, it does not run; that[1] service db: there is none",
      ),
    });
  },
);
