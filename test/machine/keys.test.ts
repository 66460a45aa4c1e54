import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterEach, beforeEach, expect, test } from "vitest";
import { toConnectFailure } from "../../src/machine/connect-failure.ts";
import { toHostKeys } from "../../src/machine/console-host-keys.ts";
import { algorithmsFor, isSameKey } from "../../src/machine/host-key.ts";
import { fingerprintOf, makeKeyPair, newKeyPair } from "../../src/machine/key-pair.ts";

test("every new key pair can be read, though not every one that ssh2 makes", () => {
  const pairs = Array.from({ length: 1500 }, () => newKeyPair("test"));
  expect(pairs.filter((pair) => ssh2.utils.parseKey(pair.private) instanceof Error)).toEqual([]);
});

const haveKeygen = ((): boolean => {
  try {
    execFileSync("sh", ["-c", "command -v ssh-keygen"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-keys-test-"));
});
afterEach(() => rm(directory, { recursive: true }));

test("a key pair is made for its owner alone, and never over another", async () => {
  const path = join(directory, "key");
  const line = await makeKeyPair(path, "a comment");
  expect(line).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]{68} a comment$/);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readFile(path, "utf8")).toMatch(/^-----BEGIN OPENSSH PRIVATE KEY-----\n/);
  await expect(makeKeyPair(path, "again")).rejects.toThrow("EEXIST");
});

test.skipIf(!haveKeygen)(
  "OpenSSH reads the private key, and sees the same public key and fingerprint (skipped without ssh-keygen)",
  async () => {
    const path = join(directory, "key");
    const line = await makeKeyPair(path, "imgspec");
    expect(keygen("-y", path).trim()).toBe(line);
    expect(keygen("-l", path)).toContain(fingerprintOf(line));
  },
);

const ed = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5${"B".repeat(48)}`;
const rsa = `ssh-rsa AAAAB3NzaC1yc2E${"C".repeat(60)}==`;

test("host keys are the same whatever their comment", () => {
  expect(isSameKey(`${ed} root@host`, ed)).toBe(true);
  expect(isSameKey(ed, rsa)).toBe(false);
});

test("the kinds of the expected keys are asked for first, RSA by all its names", () => {
  expect(algorithmsFor([rsa]).slice(0, 3)).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]);
  expect(algorithmsFor([rsa]).toSorted()).toEqual(algorithmsFor([ed]).toSorted());
});

test("host keys are read from what cloud-init prints", () => {
  const text = `[   12.3] cloud-init[900]: done\r
-----BEGIN SSH HOST KEY FINGERPRINTS-----\r
256 SHA256:abc root@ip (ED25519)\r
-----END SSH HOST KEY FINGERPRINTS-----\r
-----BEGIN SSH HOST KEY KEYS-----\r
${ed} root@ip-10-0-0-1\r
${rsa}\r
-----END SSH HOST KEY KEYS-----\r
login: `;
  expect(toHostKeys(text)).toEqual([ed, rsa]);
});

test("host keys are read with the words that older images put before each line", () => {
  const text = `ec2: -----BEGIN SSH HOST KEY KEYS-----
ec2: ${rsa} root@ip
Nov 22 10:00:00 ip-10-0-0-1 ec2: ${ed}
ec2: -----END SSH HOST KEY KEYS-----`;
  expect(toHostKeys(text)).toEqual([rsa, ed]);
});

test("of two boots the later counts, and a block that is still being printed does not", () => {
  const block = (key: string): string =>
    `-----BEGIN SSH HOST KEY KEYS-----\n${key}\n-----END SSH HOST KEY KEYS-----\n`;
  expect(toHostKeys(block(rsa) + block(ed))).toEqual([ed]);
  expect(toHostKeys(`-----BEGIN SSH HOST KEY KEYS-----\n${ed.slice(0, 40)}`)).toEqual([]);
  expect(toHostKeys(`no keys but ${ed}`)).toEqual([]);
});

test("each way in which a connection fails has its own words", () => {
  const coded = (code: string): Error => Object.assign(new Error("x"), { code });
  const kinds = ["ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EHOSTUNREACH", "ECONNRESET"].map(
    (code) => toConnectFailure(coded(code), []).kind,
  );
  expect(kinds).toEqual(["name", "refused", "filtered", "unreachable", "closed"]);
  const both = new AggregateError([coded("ECONNREFUSED"), coded("ENETUNREACH")]);
  expect(toConnectFailure(both, []).kind).toBe("refused");
});

function keygen(option: string, path: string): string {
  return execFileSync("sh", ["-c", 'ssh-keygen "$1" -f "$2"', "sh", option, path], { encoding: "utf8" });
}
