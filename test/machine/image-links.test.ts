import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CopyRig, describeTree, newCopyRig, sh, shells, whyNoDisks } from "../help/volume-copy.ts";

const files: Readonly<Record<string, string>> = {
  "home/me/.bash_history": "history-canary\n",
  "home/me/.aws/credentials": "credential-canary\n",
  "home/me/cache/one/big": "excluded-canary\n",
  "home/me/cache/wanted/small": "wanted-canary\n",
  "home/me/.ssh/authorized_keys": "ssh-ed25519 AAAABUILD imgspec\nssh-ed25519 AAAAOTHER me\n",
  "ssh/bob": "ssh-ed25519 AAAABUILD imgspec\nssh-ed25519 AAAABOB bob\n",
  "log/app.log": "log-canary\n",
};

describe.skipIf(whyNoDisks !== undefined)(`absolute links in a root (skipped: ${whyNoDisks})`, () => {
  let rig: CopyRig;
  beforeEach(async () => {
    rig = await newCopyRig();
    // The same path in the image and in the running system, which a link means there.
    await rig.plant("live", files);
    await rig.plant(`tree${rig.at("live")}`, files);
    sh(
      `mkdir -p "$1/etc/ssh/authorized_keys" "$1/var" "$1/root"; ln -s "$2/home" "$1/home"; ln -s "$2/log" "$1/var/log"
      ln -s "$2/ssh/bob" "$1/etc/ssh/authorized_keys/bob"; ln -s "$2/nowhere" "$1/root/.ssh"; ln -s loop "$1/loop"`,
      rig.at("tree"),
      rig.at("live"),
    );
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  test.each(shells)("lead into the image, and the running system stays as it is (%s)", async (shell) => {
    const before = describeTree(rig.at("live")) + describeTree(rig.at("tree"));
    const words = [
      "--exclude",
      "/home/*/cache/**",
      "--include",
      "/home/me/cache/wanted",
      "--exclude",
      "/loop/x/**",
    ];
    const hygiene = ["--hygiene", "cloudCredentials=scrub", "--hygiene", "logs=scrub"];
    const forget = ["--forget", "ssh-ed25519 AAAABUILD imgspec"];
    const { code, stderr, path } = await rig.copy(
      ["--root", rig.at("tree"), ...words, ...hygiene, ...forget],
      { shell },
    );
    expect(code, stderr).toBe(0);
    const image = await readFile(path);
    const canaries = ["history-", "credential-", "excluded-", "wanted-", "log-"].map(
      (name) => `${name}canary`,
    );
    expect([...canaries, "AAAABUILD", "AAAAOTHER", "AAAABOB"].filter((text) => image.includes(text))).toEqual(
      ["wanted-canary", "AAAAOTHER", "AAAABOB"],
    );
    expect(stderr).toContain(`scrub shellHistories ${rig.at("live/home/me/.bash_history")}\n`);
    expect(describeTree(rig.at("live")) + describeTree(rig.at("tree"))).toBe(before);
    sh(`e2fsck -fn "$1"`, path);
  });
});
