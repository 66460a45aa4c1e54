import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CopyRig, newCopyRig, sh, shells, whyNoDisks } from "../help/volume-copy.ts";

describe.skipIf(whyNoDisks !== undefined)(`names with a line end (skipped: ${whyNoDisks})`, () => {
  let rig: CopyRig;
  beforeEach(async () => {
    rig = await newCopyRig();
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  test.each(shells)("do not hide what is in the file (%s)", async (shell) => {
    const body = `${"A".repeat(64)}\n`.repeat(5);
    const key = `-----BEGIN PRIVATE KEY-----\n${body}-----END PRIVATE KEY-----\n`;
    await rig.plant("tree", { "srv/deep/a\nb": key, "srv/other\nname": "harmless\n" });
    const { code, stderr } = await rig.copy(["--root", rig.at("tree")], { shell });
    expect([code, stderr]).toEqual([
      70,
      expect.stringContaining(
        "problem: a file whose name has a line end seems to hold a key: in /srv/deep/\n",
      ),
    ]);
    sh(`rm "$1"/srv/deep/*`, rig.at("tree"));
    const harmless = await rig.copy(["--root", rig.at("tree")], { shell });
    expect(harmless.code, harmless.stderr).toBe(0);
  });

  test.each(shells)(
    "do not make another file of the image, or of the running system, be taken for it (%s)",
    async (shell) => {
      const made = rig.at("made");
      await rig.plant("tree", { "etc/passwd": "kept\n", "var/log/app/x": "x\n" });
      // A socket and a directory whose second line is the name of another file.
      sh(
        `cd "$1"; mkdir -p "var/log/l$3/\${2#/}" "x$3/etc"; cd "x$3"
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("etc/passwd")'`,
        rig.at("tree"),
        made,
        "\n",
      );
      const words = ["--root", rig.at("tree"), "--hygiene", "logs=scrub"];
      const { code, stderr, path } = await rig.copy(words, { shell });
      expect(code, stderr).toBe(0);
      const options = ["-R", "cat /etc/passwd", path];
      expect(execFileSync("/sbin/debugfs", options, { encoding: "utf8", stdio: "pipe" })).toBe("kept\n");
      expect(sh(`[ -e "$1" ] || echo none`, made)).toBe("none\n");
      expect(sh(`debugfs -R "ls -l /var/log" "$1" 2>/dev/null`, path)).toMatch(/ app$/m);
    },
  );
});
