import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Copied, type CopyRig, newCopyRig, sh, shells, whyNoDisks, works } from "../help/volume-copy.ts";

const haveXfs = works("command -v mkfs.xfs && { modprobe -q xfs || :; } && grep -w xfs /proc/filesystems");

describe.skipIf(whyNoDisks !== undefined || !haveXfs)(
  "an xfs that changes meanwhile (skipped without xfs)",
  () => {
    let rig: CopyRig;
    beforeAll(async () => {
      rig = await newCopyRig();
      sh(
        `cp -a "$(command -v cp)" "$1"; truncate -s 320M "$2"; mkfs.xfs -q "$2"; mkdir "$3"`,
        ...at("cp", "fs", "root"),
      );
      onMounted(
        rig.at("fs"),
        "mkdir etc srv; echo old >etc/hostname; ln etc/hostname etc/same; echo kept >srv/file",
      );
    });
    afterAll(() => rig[Symbol.asyncDispose]());

    test.each(shells)("has the files that were replaced while they were copied (%s)", async (shell) => {
      // As cp ends when it does not find the file that it had listed: what it passes over is not there.
      const { code, stderr } = await copyWhile(
        `[ ! -e ${rig.at("root/srv/gone")} ] || exit
       rm "$to/etc/hostname" "$to/etc/same"; echo new >${rig.at("root/etc/.new")}
       mv ${rig.at("root/etc/.new")} ${rig.at("root/etc/hostname")}; ln -f ${rig.at("root/etc/hostname")} ${rig.at("root/etc/same")}
       touch ${rig.at("root/srv/gone")}
       echo "cp: cannot stat 'srv/was': No such file or directory" >&2
       echo "cp: skipping file '/etc/hostname', as it was replaced while being copied" >&2; exit 1`,
        shell,
      );
      expect(code, stderr).toBe(0);
      expect(stderr.split("\n").filter((line) => line.includes("while"))).toEqual([
        "imgspec-note: files went away while they were copied: cp: cannot stat 'srv/was': No such file or directory",
        "imgspec-note: a file was replaced while it was copied (cp: skipping file '/etc/hostname', as it was replaced while being copied); copying again what is missing or newer",
      ]);
      const found = onMounted(
        rig.at("image"),
        "cat etc/hostname etc/same srv/file; stat -c %h etc/hostname; ls -A srv etc",
      );
      expect(found).toBe("new\nnew\nkept\n2\netc:\nhostname\nsame\n\nsrv:\nfile\ngone\n");
    });

    test("is no image where a file is replaced each time, or where cp does not come to its end", async () => {
      const again = `echo "cp: skipping file 'x', as it was replaced while being copied" >&2; exit 1`;
      expect(await copyWhile(again)).toMatchObject({
        code: 70,
        stderr: expect.stringMatching(
          /(imgspec-note: a file was replaced .*\n){4}imgspec-hint: .*bundle\.exclude\nimgspec-problem: a file is replaced each time that it is copied \(cp: /,
        ),
      });
      for (const end of ["exit 137", `echo "cp: error reading 'x': Input/output error" >&2; exit 1`])
        expect(await copyWhile(end)).toMatchObject({
          code: 70,
          stderr: expect.stringContaining("imgspec-problem: cp could not fill the file system"),
        });
    }, 60_000);

    /** Copies it, and does something behind each cp of the whole, before that ends; nobody sleeps. */
    async function copyWhile(then: string, shell = "sh"): Promise<Copied> {
      await rig.plant("bin", {
        cp: `#!/bin/sh\n${rig.at("cp")} "$@" || exit\nfor to; do :; done\ncase $to in */new/) ;; *) exit ;; esac\n${then}\n`,
        sleep: "#!/bin/sh\n",
      });
      const before = `umount ${rig.at("root")} 2>/dev/null; mount -o loop ${rig.at("fs")} ${rig.at("root")} || exit
      chmod 755 ${rig.at("bin")}/*; rm -f ${rig.at("root/srv/gone")}
      for name in cp sleep; do for place in /bin /usr/bin; do
        [ ! -e $place/$name ] || mount --bind ${rig.at("bin")}/$name $place/$name; done; done`;
      return rig.copy(["--root", rig.at("root")], { shell, before });
    }

    function at(...names: readonly string[]): readonly string[] {
      return names.map((name) => rig.at(name));
    }

    function onMounted(image: string, script: string): string {
      const mounted = rig.at("mounted");
      return sh(
        `mkdir -p "$1"; mount -o loop,nouuid "$2" "$1"; cd "$1"; trap 'cd /; umount "$1"' EXIT; eval "$3"`,
        mounted,
        image,
        script,
      );
    }
  },
);
