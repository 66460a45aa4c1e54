import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PackagesInput, packages, toPackagesProgram } from "../../src/stage/packages.ts";
import { type AptRoot, haveApt, newAptRoot } from "../help/apt-root.ts";
import { holdFcntlLock } from "../help/fcntl-lock.ts";
import { newPackageStandIn } from "../help/package-stand-in.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { toInstance } from "../help/sshd-stage.ts";
import { newProvider, newStageRig, type StageRig } from "../help/stage-rig.ts";

describe.skipIf(!haveSshd || !haveApt)(
  "the real apt-get, over a root of its own (skipped without it)",
  () => {
    let apt: AptRoot;
    let sshd: Sshd;
    let rig: StageRig;

    beforeAll(async () => {
      apt = await newAptRoot([
        { name: "hello", version: "1.0-1" },
        { name: "hello", version: "2.0-1", fields: "Recommends: extra\n" },
        { name: "extra", version: "1.0" },
        { name: "mailer", version: "3.0", fields: "Provides: mail-agent\n" },
        { name: "old", version: "1.0" },
      ]);
      const variables = Object.entries(apt.environment).map(([name, value]) => `${name}=${value}`);
      sshd = await startSshd([`SetEnv ${variables.join(" ")}`]);
      rig = await newStageRig(newProvider({}));
    });
    afterAll(async () => {
      await rig[Symbol.asyncDispose]();
      await sshd[Symbol.asyncDispose]();
      await apt[Symbol.asyncDispose]();
    });

    test("a version that is named is installed, even where it is older, and so is the newest one in an update", async () => {
      await run({ install: ["hello=1.0-1"], yum: ["httpd"], recommends: false });
      expect(await installed()).toEqual(["hello 1.0-1"]);
      await run({ update: ["hello"], refresh: false, recommends: false });
      expect(await installed()).toContain("hello 2.0-1");
      await run({ install: ["hello=1.0*"], recommends: false });
      expect(await installed()).toContain("hello 1.0-1");
      await run({ update: ["*"] });
      expect(await installed()).toContain("hello 2.0-1");
    });

    test("packages of apt alone come with the others, those that are recommended only if they may", async () => {
      await run({ remove: ["hello", "extra", "never-there"] });
      expect(await installed()).not.toContain("hello 2.0-1");
      await run({ install: ["hello"], apt: ["old"], recommends: false });
      expect(await installed()).toEqual(["hello 2.0-1", "old 1.0"]);
      await run({ remove: ["hello", "old"] });
      await run({ install: ["hello"] });
      expect(await installed()).toEqual(["extra 1.0", "hello 2.0-1"]);
    });

    test("a release that is named is where a package is taken from", async () => {
      await run({ remove: ["hello"] });
      await run({ install: ["hello/testing"] });
      expect(await installed()).toContain("hello 2.0-1");
    });

    test("what only provides the name that was asked for is enough", async () => {
      await run({ install: ["mail-agent"] });
      expect(await installed()).toContain("mailer 3.0");
    });

    test("all names that apt-get does not know are told at once", async () => {
      await expect(run({ install: ["hello", "nothing-like-it", "nor-this"] })).rejects.toMatchObject({
        code: "command-failed",
        message: 'apt-get does not know "nothing-like-it", "nor-this" (provision[0])',
        hint: "is the repository that has it set up on the instance? a name that only apt-get has goes under apt",
      });
      await expect(run({ install: ["old=7"] })).rejects.toMatchObject({
        message: 'apt-get does not know "old=7" (provision[0])',
      });
    });

    test("a lock that somebody holds is waited for", async () => {
      const lock = await holdFcntlLock(join(apt.directory, "root/var/lib/dpkg/lock-frontend"));
      const before = rig.lines.length;
      const running = run({ install: ["old"], refresh: false });
      running.catch(() => undefined);
      await expect
        .poll(() => rig.lines.slice(before).join(), { timeout: 10_000 })
        .toContain("trying again in 3 s");
      await lock[Symbol.asyncDispose]();
      await running;
      expect(await installed()).toContain("old 1.0");
    }, 20_000);

    async function run(change: Partial<PackagesInput>): Promise<void> {
      await rig.stage(packages, { ...none, on: toInstance(sshd), ...change });
    }

    async function installed(): Promise<readonly string[]> {
      const status = await readFile(join(apt.directory, "root/var/lib/dpkg/status"), "utf8");
      const entries = status.split("\n\n").filter((entry) => entry.includes("Status: install ok installed"));
      return entries
        .map((entry) => `${/^Package: (.*)$/m.exec(entry)?.[1]} ${/^Version: (.*)$/m.exec(entry)?.[1]}`)
        .sort();
    }
  },
);

test.each([
  [
    "dnf",
    [
      "dnf -q clean expire-cache",
      "dnf -y remove telnet",
      "dnf -y update",
      "dnf -y --setopt=install_weak_deps=False install nginx-1.2-r0 httpd-tools",
    ],
  ],
  [
    "yum",
    [
      "yum -q clean expire-cache",
      "yum -y remove telnet",
      "yum -y update",
      "yum -y install nginx-1.2-r0 httpd-tools",
    ],
  ],
  [
    "zypper",
    [
      "zypper --non-interactive refresh",
      "zypper --non-interactive remove telnet",
      "zypper --non-interactive update",
      "zypper --non-interactive install --no-recommends --oldpackage nginx=1.2-r0 apache2-utils",
    ],
  ],
  [
    "apk",
    [
      "apk --wait 3600 update",
      "apk --wait 3600 del telnet",
      "apk --wait 3600 upgrade",
      "apk --wait 3600 add nginx=1.2-r0 apache2-utils",
    ],
  ],
])(
  "a stand-in for %s is told what to do, and what it says is there is looked for",
  async (manager, commands) => {
    await using standIn = await newPackageStandIn(manager, ["telnet"]);
    const wanted = {
      ...none,
      install: ["nginx=1.2-r0"],
      yum: ["httpd-tools"],
      zypper: ["apache2-utils"],
      apk: ["apache2-utils"],
      update: ["*"],
      remove: ["telnet"],
      recommends: false,
    };
    expect(await standIn.run(toPackagesProgram(wanted))).toMatchObject({ code: 0 });
    expect(await standIn.commands()).toEqual(commands);
    const forgetful = toPackagesProgram({ ...none, install: ["forgotten", "forgotten=9"] });
    const { code, stdout } = await standIn.run(forgetful);
    expect(code).toBe(91);
    expect(stdout).toContain("imgspec-packages missing forgotten\nimgspec-packages missing forgotten=9\n");
  },
);

const none: Omit<PackagesInput, "on"> = {
  install: [],
  apt: [],
  dnf: [],
  yum: [],
  zypper: [],
  apk: [],
  update: [],
  remove: [],
  refresh: true,
  recommends: true,
  timeoutSeconds: 60,
  retries: 0,
  label: "provision[0]",
};
