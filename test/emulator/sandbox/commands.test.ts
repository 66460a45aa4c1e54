import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ClientChannel } from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type LoggedIn, logIn, newRig, whyNot } from "./rig.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a command over SSH${why ? ` (skipped: ${why})` : ""}`, () => {
  const rig = newRig();
  let instance: LoggedIn;
  beforeAll(async () => {
    instance = await rig.launch();
  });
  afterAll(() => rig[Symbol.asyncDispose]());

  test("tells its output, its errors and its exit code", async () => {
    expect(await instance.run("echo out; echo err >&2; exit 7")).toEqual({
      code: 7,
      signal: null,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("that is killed tells the signal", async () => {
    expect(await instance.run("kill -TERM $$")).toMatchObject({ code: null, signal: "SIGTERM" });
  });

  test("may reopen its own streams by name", async () => {
    const { stdout, stderr } = await instance.run(
      "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin",
      {
        stdin: "in\n",
      },
    );
    expect([stdout, stderr]).toEqual(["out\nin\n", "err\n"]);
  });

  test("runs at home with the variables that the client sends, and none of ours", async () => {
    const value = `it's "two\nlines" $HOME`;
    const { stdout } = await instance.run(
      `printf '%s|' "$GREETING" "$USER" "$HOME" "$PWD" "\${VITEST-none}"`,
      {
        env: { GREETING: value },
      },
    );
    expect(stdout).toBe(`${value}|ec2-user|/home/ec2-user|/home/ec2-user|none|`);
  });

  test("sees the end of its input", async () => {
    expect(await instance.run("wc -c", { stdin: "12345" })).toMatchObject({ code: 0, stdout: "5\n" });
  });

  test("need not read all of its input", async () => {
    const stdin = Buffer.alloc(8 * 1024 * 1024, "x");
    expect(await instance.run("head -c 3", { stdin })).toMatchObject({ code: 0, stdout: "xxx" });
  });

  test("streams megabytes both ways unchanged", async () => {
    const bytes = randomBytes(8 * 1024 * 1024);
    const { stdout } = await instance.run("cat", { stdin: bytes });
    expect(sha256(Buffer.from(stdout, "latin1"))).toBe(sha256(bytes));
  });

  test("as root by sudo gets options, variables and arguments as they are", async () => {
    const { stdout, code } = await instance.run(
      `sudo -n -E NAME="a b" sh -c 'printf "%s|" "$NAME" "$USER" "$HOME" "$1"; exit 3' sh "c  d"`,
    );
    expect([stdout, code]).toEqual(["a b|root|/root|c  d|", 3]);
  });

  test("gets the client's signals, all of its processes", async () => {
    const channel = await open(instance, `trap 'echo caught; exit 5' USR1; echo ready; sleep 60 & wait $!`);
    let told = "";
    channel.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    await once(channel, "data");
    channel.signal("USR1");
    const [code] = (await once(channel, "close")) as [number];
    expect([told, code]).toEqual(["ready\ncaught\n", 5]);
  });

  test("is killed with all of its processes when its channel closes", async () => {
    const channel = await open(instance, "echo ready; sleep 4711 | sleep 4711");
    await once(channel, "data");
    channel.close();
    const { code } = await instance.run(
      "for i in 1 2 3 4 5 6 7 8 9; do grep -qszx 471[1] /proc/[0-9]*/cmdline || exit 0; sleep 0.2; done; exit 1",
    );
    expect(code).toBe(0);
  });

  test("is killed also when its channel closes before it has begun", async () => {
    for (const seconds of ["4717", "4717", "4717"]) (await open(instance, `sleep ${seconds}`)).close();
    const { code } = await instance.run(
      "sleep 0.3; for i in 1 2 3 4 5 6 7 8 9; do grep -qszx 471[7] /proc/[0-9]*/cmdline || exit 0; sleep 0.2; done; exit 1",
    );
    expect(code).toBe(0);
  });

  test("is killed when its client vanishes", async () => {
    await using other = await logIn(instance.guest, "root", { keep: true });
    const channel = await open(other, "echo ready; sleep 4716");
    await once(channel, "data");
    other.client.destroy();
    const { code } = await instance.run(
      "for i in 1 2 3 4 5 6 7 8 9; do grep -qszx 471[6] /proc/[0-9]*/cmdline || exit 0; sleep 0.2; done; exit 1",
    );
    expect(code).toBe(0);
  });

  test("leaves what it started in the background running, as sshd does", async () => {
    await instance.run("sleep 4712 >/dev/null 2>&1 &");
    const { code } = await instance.run(
      "for i in 1 2 3 4 5 6 7 8 9; do grep -qszx 471[2] /proc/[0-9]*/cmdline && exit 0; sleep 0.2; done; exit 1",
    );
    expect(code).toBe(0);
  });

  test("in a terminal has one, of the client's size and kind", async () => {
    const { stdout, code } = await instance.run("tty; stty size; echo $TERM; exit 5", {
      pty: { rows: 33, cols: 111, term: "xterm-256color" },
    });
    expect([stdout, code]).toEqual(["/dev/pts/0\r\n33 111\r\nxterm-256color\r\n", 5]);
  });

  test("in a terminal learns of a new size", async () => {
    const channel = await open(instance, "trap 'stty size; exit' WINCH; echo ready; sleep 60 & wait", {
      pty: true,
    });
    let told = "";
    channel.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    await once(channel, "data");
    channel.setWindow(24, 132, 0, 0);
    await once(channel, "close");
    expect(told).toBe("ready\r\n24 132\r\n");
  });

  test("may be a login shell that reads its commands from the client", async () => {
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      instance.client.shell(false, (error, opened) => (error ? reject(error) : resolve(opened)));
    });
    let told = "";
    channel.on("data", (chunk: Buffer) => {
      told += chunk.toString();
    });
    channel.end("echo $((6 * 7))\nexit 4\n");
    const [code] = (await once(channel, "close")) as [number];
    expect([told, code]).toEqual(["42\n", 4]);
  });
});

function open(instance: LoggedIn, command: string, options: { pty?: boolean } = {}): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    instance.client.exec(command, options, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
