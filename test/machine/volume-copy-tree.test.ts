import { execFileSync, spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CopyRig, newCopyRig, sh, shells, whyNoDisks, withoutLoop } from "../help/volume-copy.ts";

describe.skipIf(whyNoDisks !== undefined)(`a copied tree (skipped: ${whyNoDisks})`, () => {
  let rig: CopyRig;
  beforeEach(async () => {
    rig = await newCopyRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  test.each(shells)(
    "has again what is included, in directories that are as they were (%s)",
    async (shell) => {
      await rig.plant("tree", {
        "var/cache/app/data/file": "wanted\n",
        "var/cache/app/other": "unwanted\n",
        "var/cache/big": "unwanted\n",
        "etc/one.conf": "1\n",
        "etc/two.conf": "2\n",
        "etc/three.conf": "3\n",
      });
      sh(
        `cd "$1"; chmod 2710 var/cache/app; chown 12:34 var/cache/app
      setfacl -d -m g:55:rx var/cache; ln -s data/file var/cache/app/link
      touch -d @1000000000 var/cache/app var/cache`,
        rig.at("tree"),
      );
      const globs = ["--exclude", "/var/cache/**", "--exclude", "/etc/*.conf"];
      const wanted = ["/var/cache/*/data/**", "/etc/two.conf", "/var/cache/app/link"];
      const { code, stderr } = await copyTree(
        [...globs, ...wanted.flatMap((glob) => ["--include", glob])],
        shell,
      );
      expect(code, stderr).toBe(0);
      expect(await names()).toEqual([
        "etc",
        "etc/two.conf",
        "var",
        "var/cache",
        "var/cache/app",
        "var/cache/app/data",
        "var/cache/app/data/file",
        "var/cache/app/link",
      ]);
      mounted((root) => {
        expect(sh(`cat "$1/var/cache/app/link" "$1/etc/two.conf"`, root)).toBe("wanted\n2\n");
        expect(sh(`stat -c '%a %u:%g %Y' "$1/var/cache/app"`, root)).toBe("2710 12:34 1000000000\n");
        expect(sh(`getfacl -nd --omit-header "$1/var/cache"`, root)).toContain("group:55:r-x");
      });
    },
  );

  test.each([
    ["by the kernel", "files went away while they were copied: .*"],
    ["by mke2fs", "a file went away while it was copied \\(.*\\); trying again"],
  ])("survives files that go away while it is copied %s", async (how, note) => {
    const files = Object.fromEntries(
      Array.from({ length: 3000 }, (_, index) => [`busy/${index}`, "x".repeat(5000)]),
    );
    await rig.plant("tree", { ...files, "etc/hostname": "here\n" });
    const remove = (): void => {
      const script = `cd "$1" && ls -f | tail -n 2500 | xargs rm -f`;
      spawn("sh", ["-c", script, "sh", rig.at("tree/busy")]);
    };
    const onLine = (line: string): void => {
      if (line.startsWith("imgspec-phase: writing")) remove();
    };
    const before = how === "by mke2fs" ? await withoutLoop(rig) : ":";
    const { code, stderr } = await rig.copy(["--root", rig.at("tree")], { onLine, before });
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(new RegExp(`^imgspec-note: ${note}$`, "m"));
    sh(`e2fsck -fn "$1"`, rig.at("image"));
    expect(await names()).toContain("etc/hostname");
  });

  test.each(shells)("takes what a hook changes, and the machine does not (%s)", async (shell) => {
    await rig.plant("tree", { "etc/hostname": "running\n", "etc/motd": "running\n", "var/cache/x": "x\n" });
    sh(`chmod 751 "$1"; ln "$1/etc/motd" "$1/etc/same"`, rig.at("tree"));
    const before = sh(`cd "$1"; find . -printf '%p %m %n %T@ %s\n' | sort; cat etc/*`, rig.at("tree"));
    const hook = `#!/bin/sh\necho "it's $1" >"$1/etc/hostname" && rm "$1/var/cache/x" && echo said && touch "$1/new"`;
    const { code, stderr } = await copyTree([], shell, { hook });
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("said\n");
    expect(sh(`cd "$1"; find . -printf '%p %m %n %T@ %s\n' | sort; cat etc/*`, rig.at("tree"))).toBe(before);
    expect(await names()).toEqual(["etc", "etc/hostname", "etc/motd", "etc/same", "new", "var", "var/cache"]);
    mounted((root) => {
      expect(sh(`cat "$1/etc/hostname"; stat -c %a "$1/new"`, root)).toMatch(/^it's \/.*\n644\n$/);
      expect(sh(`stat -c '%a %h' "$1" "$1/etc/motd"`, root)).toMatch(/^751 \d+\n644 2\n$/);
    });
  });

  test("is not made when the hook fails", async () => {
    await rig.plant("tree", { "etc/hostname": "here\n" });
    const { code, stderr } = await copyTree([], "sh", { hook: "#!/bin/sh\necho no; exit 3" });
    expect([code, stderr]).toEqual([
      70,
      expect.stringContaining("problem: bundle.script ended with exit code 3"),
    ]);
  });

  test.each(shells)("has an fstab that was given or made (%s)", async (shell) => {
    await rig.plant("tree", { "etc/fstab": "LABEL=old / ext4 defaults 0 1\n" });
    sh(`chmod 640 "$1/etc/fstab"`, rig.at("tree"));
    const given = "# it's mine\nLABEL=new\t/ ext4 defaults 0 1\n";
    await copyTree(["--fstab", "given"], shell, { fstab: given });
    mounted((root) => {
      expect(sh(`cat "$1/etc/fstab"`, root)).toBe(given);
      expect(sh(`stat -c %a "$1/etc/fstab"`, root)).toBe("640\n");
    });
    const { stderr } = await copyTree(["--fstab", "generate"], shell);
    const uuid = sh(`blkid -p -s UUID -o value "$1"`, rig.at("image")).trim();
    mounted((root) =>
      expect(sh(`cat "$1/etc/fstab"`, root)).toContain(`\nUUID=${uuid} / ext4 defaults 0 1\n`),
    );
    expect(stderr).toContain("(bundle.fstab: generate)");
    expect(sh(`cat "$1/etc/fstab"`, rig.at("tree"))).toBe("LABEL=old / ext4 defaults 0 1\n");
  });

  test("gets an fstab where there was none", async () => {
    await rig.plant("tree", { "etc/hostname": "here\n" });
    await copyTree(["--fstab", "given"], "sh", { fstab: "LABEL=new / ext4\n" });
    mounted((root) =>
      expect(sh(`stat -c '%a %u:%g' "$1/etc/fstab"; cat "$1/etc/fstab"`, root)).toBe(
        "644 0:0\nLABEL=new / ext4\n",
      ),
    );
  });

  test("keeps an fstab, and what a boot would wait for in vain is told", async () => {
    await rig.plant("tree", {
      "etc/fstab":
        "# text\nLABEL=root / ext4 defaults 0 1\nUUID=1-2 /data ext4 defaults 0 2\n/dev/xvdb /mnt auto nofail 0 2\nproc /proc proc\n",
    });
    const { stderr } = await copyTree([]);
    expect(stderr.match(/\/etc\/fstab names \S+ for \S+/g)).toEqual(["/etc/fstab names UUID=1-2 for /data,"]);
  });

  test.each(shells)("has a root directory with its special bits (%s)", async (shell) => {
    for (const mode of ["2755", "1777", "550"]) {
      sh(`mkdir -p "$1"; chmod 0 "$1"; chmod g-s "$1"; chmod "$2" "$1"`, rig.at("tree"), mode);
      const { code, stderr, path } = await copyTree([], shell);
      expect(code, stderr).toBe(0);
      expect(sh(`debugfs -R "stat <2>" "$1" 2>/dev/null`, path)).toMatch(
        new RegExp(`Type: directory +Mode: +0${mode} `),
      );
    }
  });

  test("is made without a line in an /etc/mtab that is a file", async () => {
    await rig.plant("tree", {
      "etc/machine-id": "0123456789abcdef\n",
      "var/cache/a": "a",
      "var/cache/b": "b",
    });
    // Today's mount knows no such file: here -n, which older ones want, is what must be there.
    const wrapper = `#!/bin/sh\ncase $1 in -n) exec /bin/mount "$@" ;; esac\necho "written: $*" >&2; exit 1\n`;
    await rig.plant("bin", { mount: wrapper });
    const words = ["--root", rig.at("tree"), "--exclude", "/var/cache/**", "--include", "/var/cache/a"];
    const before = `chmod 755 ${rig.at("bin/mount")}; PATH=${rig.at("bin")}:$PATH`;
    for (const hook of [undefined, "#!/bin/sh\n"]) {
      const { code, stderr } = await rig.copy(words, { shell: "dash", before, ...(hook && { hook }) });
      expect([code, stderr]).toEqual([0, expect.not.stringContaining("written")]);
    }
  });

  function copyTree(
    words: readonly string[],
    shell = "sh",
    texts: { readonly hook?: string; readonly fstab?: string } = {},
  ): ReturnType<CopyRig["copy"]> {
    return rig.copy(["--root", rig.at("tree"), ...words], { shell, ...texts });
  }

  async function names(): Promise<readonly string[]> {
    sh(`rm -rf "$2"; mkdir "$2"; e2fsck -fn "$1"`, rig.at("image"), rig.at("out"));
    execFileSync("/sbin/debugfs", ["-R", `rdump / ${rig.at("out")}`, rig.at("image")], { stdio: "pipe" });
    return (await readdir(rig.at("out"), { recursive: true })).filter((name) => name !== "lost+found").sort();
  }

  function mounted(look: (root: string) => void): void {
    sh(`mkdir -p "$2"; mount -o loop,ro "$1" "$2"`, rig.at("image"), rig.at("m"));
    try {
      look(rig.at("m"));
    } finally {
      sh(`umount "$1"`, rig.at("m"));
    }
  }
});
