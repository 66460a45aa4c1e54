import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { elevate } from "../../src/machine/elevate.ts";
import { runHeld } from "../../src/machine/held-command.ts";
import { type HeldMachine, holdMachine } from "../../src/machine/held-machine.ts";
import { openRootImage } from "../../src/machine/root-image.ts";
import { runScript } from "../../src/machine/script.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { processesLike } from "../help/processes.ts";
import type { Sshd } from "../help/sshd.ts";
import { canHaveSudoers, password, startSudoerSshd } from "../help/sudoer.ts";

const signal = AbortSignal.timeout(120_000);
const mark = process.pid;

const copy = {
  partition: "none" as const,
  sizeMib: 8,
  exclude: [],
  include: [],
  fstab: "keep" as const,
  hygiene: {},
  allow: [],
  hook: null,
  forgetKey: "ssh-ed25519 AAAABUILD imgspec",
  log: () => undefined,
};
const napping = new RegExp(`sleep 49\\d\\d[.]${mark}$`);

const ways = [
  ["without a password", ["builder ALL=(ALL) NOPASSWD: ALL"], null],
  ["without a password, though there is one", ["builder ALL=(ALL) NOPASSWD: ALL"], password],
  ["with a password", ["builder ALL=(ALL) ALL", "Defaults timestamp_timeout=0"], password],
  ["on a terminal", ["builder ALL=(ALL) NOPASSWD: ALL", "Defaults requiretty"], null],
  [
    "with a password and on a terminal",
    ["builder ALL=(ALL) ALL", "Defaults requiretty", "Defaults use_pty"],
    password,
  ],
] as const;

describe.skipIf(!canHaveSudoers)("a user who is not root (skipped unless root, with sudo)", () => {
  let sshd: Sshd;
  afterEach(() => sshd[Symbol.asyncDispose]());
  const hold = async (sudoers: readonly string[], sudoPassword: string | null): Promise<HeldMachine> => {
    sshd = await startSudoerSshd(sudoers);
    return holdMachine(() => connect(sshd.address, { signal, timeoutMs: 20_000, sudoPassword }));
  };

  describe.each(ways)("whose sudo works %s", (_, sudoers, secret) => {
    test("becomes root, and stdin, outputs and exit code are those of the command", async () => {
      await using held = await hold(sudoers, secret);
      const machine = await held.machine();
      const bytes = randomBytes(300_000);
      const sum = createHash("sha256").update(bytes).digest("hex");
      const command = elevate([
        "sh",
        "-c",
        'id -u; printf "%s\\n" "$1"; sha256sum; echo err >&2; exit 7',
        "sh",
        "a  'b",
      ]);
      expect(await machine.run(command, { signal, stdin: bytes })).toEqual({
        code: 7,
        signal: null,
        stdout: `0\na  'b\n${sum}  -\n`,
        stderr: "err\n",
      });
    });

    test("becomes root for a stream of any bytes", async () => {
      await using held = await hold(sudoers, secret);
      const machine = await held.machine();
      const command = elevate(["sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' '\\r\\n\\4'; id -u"]);
      const { stdout, result } = await machine.stream(command, { signal });
      const chunks: Uint8Array[] = [];
      for await (const chunk of stdout) chunks.push(chunk);
      expect((await result).code).toBe(0);
      expect(Buffer.concat(chunks).equals(Buffer.from(`${"\r".repeat(3_000_000)}0\n`))).toBe(true);
    });

    test("becomes root for a held command and a script, and nothing is left of them", async () => {
      await using held = await hold(sudoers, secret);
      const program = 'id -u; printf "%s|" "$@"; cat; exit 3';
      const result = await runHeld(held, {
        program,
        arguments: ["a b", "it's"],
        stdin: "in\n",
        sudo: true,
        signal,
      });
      expect(result).toMatchObject({ code: 3, stdout: "0\na b|it's|in\n" });
      const options = { env: { WORD: "x y" }, workdir: "/usr", timeoutSeconds: 30, signal };
      const script = await runScript(held, { ...options, text: 'id -u; pwd; echo "$WORD"', sudo: true });
      expect(script.stdout).toBe("0\n/usr\nx y\n");
      expect(await ofBuilder()).toEqual([]);
    });

    test("becomes root to make an image", async () => {
      await using held = await hold(sudoers, secret);
      const root = await mkdtemp(join(tmpdir(), "imgspec-tree-"));
      await writeFile(join(root, "secret"), "for root's eyes", { mode: 0o600 });
      try {
        const image = await openRootImage(await held.machine(), { ...copy, root, sudo: true, signal });
        const chunks: Uint8Array[] = [];
        for await (const chunk of image.chunks) chunks.push(chunk);
        await image.finished;
        expect(Buffer.concat(chunks).includes("for root's eyes")).toBe(true);
      } finally {
        await rm(root, { recursive: true });
      }
    });

    test("ends what root runs", async () => {
      await using held = await hold(sudoers, secret);
      const stop = new AbortController();
      const program = `setsid sleep 4901.${mark} & echo on; trap '' TERM; sleep 4902.${mark}; sleep 4903.${mark}`;
      const onLine = (): void => stop.abort(new Problem("interrupted", "SIGINT"));
      const running = runHeld(held, { program, sudo: true, signal: stop.signal, onLine });
      await expect(running).rejects.toMatchObject({ code: "interrupted" });
      expect(await processesLike(napping)).toEqual([]);
      expect(await ofBuilder()).toEqual([]);
    });
  });

  test("a sudo that wants a terminal does not work without ours", async () => {
    await using held = await hold(ways[3][1], null);
    const { code, stderr } = await (await held.machine()).run("sudo -n true", { signal });
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("must have a tty") });
  });

  test("the password is in no argument and no environment while root works", async () => {
    await using held = await hold(["builder ALL=(ALL) ALL"], password);
    const found: string[] = [];
    const scan = async (): Promise<void> => {
      for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
        for (const file of ["cmdline", "environ"]) {
          found.push(await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => ""));
        }
      }
    };
    let isOver = false;
    const running = runHeld(held, { program: "sleep 1; id -u", sudo: true, signal }).finally(() => {
      isOver = true;
    });
    while (!isOver) await scan();
    expect((await running).stdout).toBe("0\n");
    expect(found.join("\n")).toContain("supervisor");
    expect(found.join("\n")).not.toContain(password);
  });

  test.each([
    ["the wrong password", "wrong", /incorrect password|no password was provided/],
    ["no password", null, /a password is required/],
  ])("sudo's refusal of %s is told before anything runs", async (_, secret, why) => {
    await using held = await hold(["builder ALL=(ALL) ALL"], secret);
    const running = runHeld(held, { program: "echo never", sudo: true, signal });
    await expect(running).rejects.toMatchObject({
      code: "command-failed",
      message: expect.stringMatching(why),
      hint: expect.stringContaining("connect.sudoPassword"),
    });
  });
});

/** What belongs to the user where held commands have their directories; others' may be there at the same time. */
async function ofBuilder(): Promise<string[]> {
  const paths = ["/dev/shm", "/run", "/tmp"];
  const names = await Promise.all(
    paths.map(async (path) => (await readdir(path)).map((name) => join(path, name))),
  );
  const owned = await Promise.all(
    names
      .flat()
      .map(async (path) => ((await lstat(path).catch(() => undefined))?.uid === 4711 ? [path] : [])),
  );
  return owned.flat();
}
