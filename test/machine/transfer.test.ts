import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../src/machine/machine.ts";
import { toRemoteEntries } from "../../src/machine/remote-listing.ts";
import { connect } from "../../src/machine/ssh.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(60_000);
const odd = [
  "plain",
  " spaces ",
  "it's",
  '"double"',
  "-dash",
  "line\nend",
  "$HOME",
  "*",
  "ünï",
  "back\\slash",
];

describe.skipIf(!haveSshd)("over OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  let machine: Machine;
  let directory: string;
  const at = (...names: string[]): string => join(directory, ...names);

  beforeAll(async () => {
    sshd = await startSshd();
    machine = await connect(sshd.address, { signal, timeoutMs: 20_000 });
    directory = await mkdtemp(join(tmpdir(), "imgspec-transfer-test-"));
    await mkdir(at("tree", "deep", "er"), { recursive: true });
    await mkdir(at("tree", "empty"), { mode: 0o700 });
    for (const name of odd) await writeFile(at("tree", name), `content of ${name}`);
    await writeFile(at("tree", "deep", "er", "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    await writeFile(at("tree", "deep", "big"), Buffer.alloc(3_000_000, "x"));
    await writeFile(at("tree", "nothing"), "");
    await symlink("../plain", at("tree", "deep", "link"));
    await symlink("/not/there", at("tree", "dangling"));
    await chmod(at("tree", "deep", "er"), 0o555);
  });
  afterAll(async () => {
    await machine[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
    // Only root may remove what is in a directory that is read-only.
    execFileSync("chmod", ["-R", "u+w", directory]);
    await rm(directory, { recursive: true });
  });

  test("a directory goes up and comes down with names, contents, modes and links as they were", async () => {
    const seen: string[] = [];
    const onBytes = (done: number, total: number): void => {
      seen.push(`${done}/${total}`);
    };
    await machine.upload(at("tree"), at("remote", "copy"), { signal, onBytes });
    await machine.download(at("remote", "copy"), at("back"), { signal });
    expect(listing(at("remote", "copy"))).toBe(listing(at("tree")));
    expect(listing(at("back"))).toBe(listing(at("tree")));
    expect(await readlink(at("back", "deep", "link"))).toBe("../plain");
    const [done, total] = (seen.at(-1) ?? "").split("/");
    expect(done).toBe(total);
    expect(Number(total)).toBeGreaterThan(3_000_000);
  });

  test("a file gets the name that is given, or keeps its own in a directory", async () => {
    await machine.upload(at("tree", "plain"), at("new", "parents", "name"), { signal, mode: 0o640 });
    await machine.upload(at("tree", "plain"), `${at("into")}/`, { signal });
    await machine.upload(at("tree", "it's"), at("into"), { signal });
    expect(await readFile(at("new", "parents", "name"), "utf8")).toBe("content of plain");
    expect((await stat(at("new", "parents", "name"))).mode & 0o7777).toBe(0o640);
    expect(await readFile(at("into", "plain"), "utf8")).toBe("content of plain");
    expect(await readFile(at("into", "it's"), "utf8")).toBe("content of it's");
  });

  test("a downloaded file replaces one that was there, and only when it is complete", async () => {
    await writeFile(at("target"), "before");
    await expect(machine.download(at("tree", "missing"), at("target"), { signal })).rejects.toMatchObject({
      code: "command-failed",
      message: expect.stringContaining("no such file or directory"),
    });
    expect(await readFile(at("target"), "utf8")).toBe("before");
    await machine.download(at("tree", "-dash"), at("target"), { signal });
    expect(await readFile(at("target"), "utf8")).toBe("content of -dash");
  });

  test("written content has its mode, and replaces what was there as a whole", async () => {
    await machine.write("first", at("written"), { signal, mode: 0o644 });
    await machine.write(Buffer.from([0, 255, 10]), at("written"), { signal, mode: 0o600 });
    expect([...(await readFile(at("written")))]).toEqual([0, 255, 10]);
    expect((await stat(at("written"))).mode & 0o7777).toBe(0o600);
  });

  test("a place that cannot be written is told with the machine's own words", async () => {
    await expect(machine.write("x", "/proc/nowhere/file", { signal, mode: 0o600 })).rejects.toMatchObject({
      code: "command-failed",
      message: expect.stringMatching(/ could not write \/proc\/nowhere\/file: .*nowhere/),
    });
    await expect(machine.write("x", at("tree"), { signal, mode: 0o600 })).rejects.toMatchObject({
      message: expect.stringContaining("it is a directory"),
    });
  });

  test("an aborted upload leaves neither the file nor a part of it", async () => {
    const stop = new AbortController();
    const big = at("tree", "deep", "big");
    const onBytes = (): void => stop.abort(new Error("enough"));
    await mkdir(at("aborted"));
    await expect(
      machine.upload(big, at("aborted", "file"), { signal: stop.signal, onBytes }),
    ).rejects.toThrow("enough");
    // The other side hears of it a moment later.
    await expect.poll(() => listing(at("aborted")), { timeout: 10_000 }).toBe(". d 755\n");
  });
});

test("a machine that lists paths outside of what was asked for is refused", () => {
  const entry = (...fields: string[]): string => `${fields.join("\0")}\0`;
  const root = entry("directory", "755", "0", ".", "");
  for (const name of ["./../evil", "/etc/passwd", "./link/inside", "./..", ""]) {
    const text = root + entry("link", "777", "0", "./link", "/etc") + entry("file", "644", "1", name, "");
    expect(() => toRemoteEntries(text)).toThrow("leads astray");
  }
  expect(toRemoteEntries(root + entry("file", "640", " 12", "./a b", ""))).toEqual([
    { kind: "directory", mode: 0o755, sizeBytes: 0, path: ".", target: "" },
    { kind: "file", mode: 0o640, sizeBytes: 12, path: "a b", target: "" },
  ]);
});

/** Name, type, mode, target and content of everything in a directory, as the machine's own tools tell. */
function listing(directory: string): string {
  const program = `find . -print0 | LC_ALL=C sort -z | while IFS= read -r -d '' f; do
    if [ -L "$f" ]; then echo "$f l $(readlink "$f")"; elif [ -d "$f" ]; then echo "$f d $(stat -c %a "$f")"
    else echo "$f f $(stat -c %a "$f") $(cksum <"$f")"; fi; done`;
  return execFileSync("bash", ["-c", program], { cwd: directory, encoding: "utf8" });
}
