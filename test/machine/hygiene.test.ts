import { generateKeyPairSync } from "node:crypto";
import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CopyRig, newCopyRig, sh, shells, whyNoDisks } from "../help/volume-copy.ts";

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
/** A line in the middle of the key, as bytes in an image would show it. */
const middle = privateKey.split("\n")[8] ?? "";
const indented = privateKey.replaceAll(/^/gm, "    ");
const encrypted = privateKey.replace(
  "PRIVATE KEY-----\n",
  "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: X\n\n",
);
/** Put together here, so that nobody takes this file for a leak. */
const accessKey = ["AKIA", "Q7ZL4M2NXW5PTR3B"].join("");
const secretKey = "k2".repeat(20);

const traces: Readonly<Record<string, string>> = {
  "etc/ssh/ssh_host_rsa_key": privateKey,
  "etc/ssh/ssh_host_rsa_key.pub": "ssh-rsa AAAA host\n",
  "etc/machine-id": "0123456789abcdef0123456789abcdef\n",
  "var/lib/dbus/machine-id": "0123456789abcdef0123456789abcdef\n",
  "var/lib/systemd/random-seed": "seed-canary",
  "root/.bash_history": "history-canary\n",
  "home/me/.python_history": "history-canary\n",
  "var/lib/cloud/instances/i-1/user-data.txt": "cloud-canary\n",
  "var/lib/cloud/seed/nocloud/meta-data": "kept\n",
  "var/log/cloud-init-output.log": "cloud-canary\n",
  "etc/cloud/cloud.cfg": "users: []\n",
};
const harmless: Readonly<Record<string, string>> = {
  "usr/share/doc/test.pem": privateKey,
  "etc/ssl/private/ssl-cert-snakeoil.key": privateKey,
  "etc/ssl/certs/ca.pem": "-----BEGIN CERTIFICATE-----\nMIIF\n-----END CERTIFICATE-----\n",
  "etc/apt/trusted.gpg.d/key.gpg": "public ring",
  "etc/manual": "Put it between -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----\n",
  "srv/example":
    "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
};
const secrets: Readonly<Record<string, string>> = {
  "home/me/.ssh/id_rsa": privateKey,
  "srv/app/server.crt": privateKey,
  "srv/app/encrypted": encrypted,
  "srv/app/values.yaml": `tls:\n  key: |\n${indented}\n`,
  "srv/app/service-account.json": JSON.stringify({ private_key: privateKey }),
  "usr/local/etc/key": privateKey,
  "home/me/.aws/credentials": "[default]\n",
  "srv/app/.env": `export AWS_SECRET_ACCESS_KEY=${secretKey}\n`,
  "srv/app/config": `key: ${accessKey}\n`,
};

describe.skipIf(whyNoDisks !== undefined)(`the hygiene of an image (skipped: ${whyNoDisks})`, () => {
  let rig: CopyRig;
  beforeEach(async () => {
    rig = await newCopyRig();
    await rig.plant("tree", { ...traces, ...harmless, "var/log/app/one.log": "log-canary\n" });
    sh(
      `ln -s instances/i-1 "$1/var/lib/cloud/instance"; chmod 700 "$1/var/log/app"; chmod 444 "$1/etc/machine-id"`,
      rig.at("tree"),
    );
  });
  afterEach(() => rig[Symbol.asyncDispose]());

  test.each(shells)(
    "traces that make themselves anew are not in it, not even in free blocks (%s)",
    async (shell) => {
      const before = sh(`cd "$1"; find . -type f -exec cksum {} + | sort`, rig.at("tree"));
      const { code, stderr, path } = await rig.copy(["--root", rig.at("tree")], { shell });
      expect(code, stderr).toBe(0);
      expect(findings(stderr)).toEqual([
        "scrub cloudInit /var/lib/cloud/instance",
        "scrub cloudInit /var/lib/cloud/instances",
        "scrub cloudInit /var/log/cloud-init-output.log",
        "scrub machineId /etc/machine-id",
        "scrub machineId /var/lib/dbus/machine-id",
        "scrub machineId /var/lib/systemd/random-seed",
        "scrub shellHistories /home/me/.python_history",
        "scrub shellHistories /root/.bash_history",
        "scrub sshHostKeys /etc/ssh/ssh_host_rsa_key",
        "scrub sshHostKeys /etc/ssh/ssh_host_rsa_key.pub",
      ]);
      const image = await readFile(path);
      for (const canary of [
        "seed-canary",
        "history-canary",
        "cloud-canary",
        "0123456789abcdef0123456789abcdef",
      ]) {
        expect(image.includes(canary), canary).toBe(false);
      }
      sh(`e2fsck -fn "$1"`, path);
      expect(ls("/etc")).toMatch(/0 +\S+ +\S+ machine-id$/m);
      expect(ls("/etc/ssh")).not.toContain("ssh_host");
      expect(ls("/var/lib/cloud")).toMatch(/instances\n(.*\n)*.*seed\n/);
      // What packages bring has keys that are nobody's, and stays.
      expect(image.includes(middle)).toBe(true);
      expect(sh(`cd "$1"; find . -type f -exec cksum {} + | sort`, rig.at("tree"))).toBe(before);
    },
  );

  test.each(shells)(
    "keys and credentials that somebody put there end the build, and are listed (%s)",
    async (shell) => {
      await rig.plant("tree", secrets);
      const { code, stderr } = await rig.copy(["--root", rig.at("tree")], { shell });
      expect(code).toBe(70);
      expect(findings(stderr).filter((line) => line.startsWith("refuse"))).toEqual([
        "refuse cloudCredentials /home/me/.aws/credentials",
        "refuse cloudCredentials /srv/app/.env",
        "refuse cloudCredentials /srv/app/config",
        "refuse privateKeys /home/me/.ssh/id_rsa",
        "refuse privateKeys /srv/app/encrypted",
        "refuse privateKeys /srv/app/server.crt",
        "refuse privateKeys /srv/app/service-account.json",
        "refuse privateKeys /srv/app/values.yaml",
        "refuse privateKeys /usr/local/etc/key",
      ]);
      expect(stderr).toContain(
        "imgspec-problem: the image would hold 9 file(s) that bundle.hygiene refuses\n",
      );
      expect(stderr).not.toContain("imgspec-image:");
    },
  );

  test("what is excluded is not found, what is allowed is kept, and a class can be scrubbed", async () => {
    await rig.plant("tree", secrets);
    sh(`rm -r "$1/usr/share" "$1/etc/ssl/private"`, rig.at("tree"));
    const words = [
      "--exclude",
      "/srv/app/*.json",
      "--allow",
      "/srv/app/c*",
      "--hygiene",
      "cloudCredentials=scrub",
    ];
    const more = ["--hygiene", "privateKeys=scrub", "--hygiene", "logs=scrub"];
    const { code, stderr, path } = await rig.copy(["--root", rig.at("tree"), ...words, ...more]);
    expect(code, stderr).toBe(0);
    expect(findings(stderr).filter((line) => /srv|logs/.test(line))).toEqual([
      "keep cloudCredentials /srv/app/config",
      "scrub cloudCredentials /srv/app/.env",
      "scrub logs /var/log",
      "scrub privateKeys /srv/app/encrypted",
      "scrub privateKeys /srv/app/server.crt",
      "scrub privateKeys /srv/app/values.yaml",
    ]);
    const image = await readFile(path);
    expect([middle, secretKey, "log-canary"].filter((canary) => image.includes(canary))).toEqual([]);
    expect(image.includes(accessKey)).toBe(true);
    expect(ls("/var/log")).toMatch(/40700 .* app$/m);
    expect(ls("/var/log/app")).not.toContain("one.log");
  });

  test("other keys that let people in are kept and told, or left out", async () => {
    await rig.plant("tree", {
      "root/.ssh/authorized_keys": "ssh-ed25519 AAAABUILD imgspec\n",
      "home/me/.ssh/authorized_keys": "ssh-ed25519 AAAABUILD imgspec\nssh-ed25519 AAAAOTHER me\n",
    });
    const words = ["--root", rig.at("tree"), "--forget", "ssh-ed25519 AAAABUILD imgspec"];
    const kept = await rig.copy(words);
    expect(findings(kept.stderr).filter((line) => line.includes("authorizedKeys"))).toEqual([
      "keep authorizedKeys /home/me/.ssh/authorized_keys",
    ]);
    const image = await readFile(kept.path);
    expect([image.includes("AAAABUILD"), image.includes("AAAAOTHER")]).toEqual([false, true]);
    const scrubbed = await rig.copy([...words, "--hygiene", "authorizedKeys=scrub"]);
    expect((await readFile(scrubbed.path)).includes("AAAAOTHER")).toBe(false);
  });

  test.each(shells)("a file that is of two classes is judged for each (%s)", async (shell) => {
    await rig.plant("tree", {
      "srv/both": `${privateKey}key: ${accessKey}\n`,
      "home/me/.bash_history": `export AWS_SECRET_ACCESS_KEY=${secretKey}\n`,
    });
    const words = ["--root", rig.at("tree"), "--hygiene", "shellHistories=keep"];
    const kept = await rig.copy([...words, "--hygiene", "privateKeys=keep"], { shell });
    expect(kept.code).toBe(70);
    expect(findings(kept.stderr).filter((line) => /both|me.*bash_history/.test(line))).toEqual([
      "keep privateKeys /srv/both",
      "keep shellHistories /home/me/.bash_history",
      "refuse cloudCredentials /home/me/.bash_history",
      "refuse cloudCredentials /srv/both",
    ]);
    const refused = await rig.copy(words, { shell });
    expect(refused.stderr).toContain("problem: the image would hold 2 file(s) that");
  });

  test("it is told when nothing would make host keys anew", async () => {
    sh(`rm -r "$1/etc/cloud"`, rig.at("tree"));
    const { stderr } = await rig.copy(["--root", rig.at("tree")]);
    expect(stderr).toContain("note: warning: nothing here makes SSH host keys at boot");
  });

  function ls(directory: string): string {
    return sh(`debugfs -R "ls -l $2" "$1" 2>/dev/null`, rig.at("image"), directory);
  }
});

function findings(stderr: string): readonly string[] {
  return [...stderr.matchAll(/^imgspec-hygiene: (.*)$/gm)].map(([, line = ""]) => line).sort();
}
