import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect as connectTcp, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2 from "ssh2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fingerprintOf, makeKeyPair } from "../../src/machine/key-pair.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { startConnectProxy } from "../help/connect-proxy.ts";
import { freePort, haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(60_000);

describe.skipIf(!haveSshd)("against OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(() => sshd[Symbol.asyncDispose]());

  const failing = async (change: object, timeoutMs = 20_000): Promise<Problem> => {
    try {
      await using _ = await connect({ ...sshd.address, ...change }, { signal, timeoutMs });
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error("connected");
  };

  test("a key that is not let in is named, with the user, after three tries", async () => {
    const privateKeyPath = join(sshd.directory, "stranger");
    await makeKeyPair(privateKeyPath, "stranger");
    const { code, message } = await failing({ privateKeyPath });
    expect(code).toBe("connect-failed");
    expect(message).toBe(`127.0.0.1 does not let "${sshd.address.user}" in with the key ${privateKeyPath}`);
  });

  test("another host key than the pinned one is told at once, with both fingerprints", async () => {
    const other = await makeKeyPair(join(sshd.directory, "other"), "other");
    const { code, message } = await failing({ hostKeys: [other] });
    expect(code).toBe("host-key-changed");
    expect(message).toContain(`expected ${fingerprintOf(other)}, seen ${fingerprintOf(sshd.hostKey)}`);
  });

  test("a pinned key of another kind than the server's is a changed host key, too", async () => {
    const other = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 }).public;
    expect((await failing({ hostKeys: [other] })).code).toBe("host-key-changed");
  });

  test("of several host keys the server is asked for the pinned one", async () => {
    const pair = ssh2.utils.generateKeyPairSync("ecdsa", { bits: 256 });
    const path = join(sshd.directory, "ecdsa");
    await writeFile(path, pair.private, { mode: 0o600 });
    await using two = await startSshd([`HostKey ${path}`]);
    await using machine = await connect(
      { ...two.address, hostKeys: [pair.public] },
      { signal, timeoutMs: 20_000 },
    );
    expect(machine.hostKey).toBe(pair.public.trim());
  });

  test("without a pinned key the first seen is accepted and told", async () => {
    await using machine = await connect({ ...sshd.address, hostKeys: null }, { signal, timeoutMs: 20_000 });
    expect(fingerprintOf(machine.hostKey)).toBe(fingerprintOf(sshd.hostKey));
  });

  test("a server without a common algorithm is told with what it offered and what we accept", async () => {
    await using strict = await startSshd(["KexAlgorithms sntrup761x25519-sha512@openssh.com"]);
    const { message } = await failing({ ...strict.address });
    expect(message).toMatch(
      /the SSH handshake failed: no matching key exchange algorithm; offered: sntrup761x25519-sha512@openssh.com.*; accepted: curve25519-sha256/,
    );
  });

  test("a machine that listens only later is waited for, and the reason is told once", async () => {
    const port = await freePort();
    const lines: string[] = [];
    let relay: Server | undefined;
    const log = (line: string): void => {
      lines.push(line);
      relay = createServer((socket) => {
        socket.pipe(connectTcp(sshd.address.port, "127.0.0.1")).pipe(socket);
      }).listen(port, "127.0.0.1");
    };
    const machine = await connect({ ...sshd.address, port }, { signal, log, timeoutMs: 20_000 });
    expect((await machine.run("echo hello", { signal })).stdout).toBe("hello\n");
    await machine[Symbol.asyncDispose]();
    relay?.close();
    expect(lines).toEqual([`waiting for ${sshd.address.user}@127.0.0.1:${port}: connection refused`]);
  });

  test("a proxy is asked for the machine, with the credentials of its URL", async () => {
    await using proxy = await startConnectProxy();
    const url = proxy.url.replace("//", "//me:p%40ss@");
    await using machine = await connect({ ...sshd.address, proxy: url }, { signal, timeoutMs: 20_000 });
    expect((await machine.run("echo hello", { signal })).stdout).toBe("hello\n");
    expect(proxy.asked).toEqual([`me:p@ss@127.0.0.1:${sshd.address.port}`]);
  });
});

const nowhere = { host: "127.0.0.1", user: "nobody", hostKeys: null, proxy: null };

describe("without a server", () => {
  let sandbox: { readonly directory: string; readonly privateKeyPath: string };
  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "imgspec-connect-test-"));
    sandbox = { directory, privateKeyPath: join(directory, "key") };
    await makeKeyPair(sandbox.privateKeyPath, "test");
  });
  afterAll(async () => {
    await rm(sandbox.directory, { recursive: true });
  });

  test("a refused connection is the last cause when the time is over", async () => {
    const address = { ...nowhere, port: await freePort(), privateKeyPath: sandbox.privateKeyPath };
    await expect(connect(address, { signal, timeoutMs: 600 })).rejects.toMatchObject({
      code: "connect-failed",
      message: `nobody@127.0.0.1:${address.port} could not be reached by SSH within 1 s: connection refused`,
      hint: expect.stringContaining("nothing listens"),
    });
  });

  test("a proxy that refuses is named without its password", async () => {
    await using proxy = await startConnectProxy({ status: 403 });
    const url = proxy.url.replace("//", "//me:secret@");
    const address = { ...nowhere, port: 22, privateKeyPath: sandbox.privateKeyPath, proxy: url };
    await expect(connect(address, { signal, timeoutMs: 200 })).rejects.toMatchObject({
      message: expect.stringMatching(/: the proxy 127\.0\.0\.1:\d+ answered 403 to CONNECT 127\.0\.0\.1:22$/),
    });
  });

  test("a server that accepts and says nothing does not hold up the deadline", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const bound = silent.address();
    const port = bound !== null && typeof bound === "object" ? bound.port : 0;
    const address = { ...nowhere, port, privateKeyPath: sandbox.privateKeyPath };
    await expect(connect(address, { signal, timeoutMs: 500 })).rejects.toMatchObject({
      message: expect.stringContaining("did not answer the SSH handshake in time"),
    });
    silent.close();
  });

  test("an abort ends the waiting with its reason", async () => {
    const stop = new AbortController();
    const reason = new Problem("interrupted", "SIGINT");
    const address = { ...nowhere, port: await freePort(), privateKeyPath: sandbox.privateKeyPath };
    const log = (): void => stop.abort(reason);
    await expect(connect(address, { signal: stop.signal, log, timeoutMs: 20_000 })).rejects.toBe(reason);
  });

  test.each([
    ["that others can read", "open", 0o644, "can be read by others"],
    ["that is no key", "garbage", 0o600, "is not an OpenSSH or PEM private key"],
  ])("a private key %s is refused before anything is sent", async (_, name, mode, why) => {
    const privateKeyPath = join(sandbox.directory, name);
    if (name === "garbage") await writeFile(privateKeyPath, "hello\n");
    else await makeKeyPair(privateKeyPath, "test");
    await chmod(privateKeyPath, mode);
    await expect(
      connect({ ...nowhere, port: 1, privateKeyPath }, { signal, timeoutMs: 1 }),
    ).rejects.toMatchObject({
      code: "file-unreadable",
      message: `the private key ${privateKeyPath} ${why}`,
    });
  });

  test("a private key that is not there is named", async () => {
    const privateKeyPath = join(sandbox.directory, "missing");
    await expect(
      connect({ ...nowhere, port: 1, privateKeyPath }, { signal, timeoutMs: 1 }),
    ).rejects.toMatchObject({
      code: "file-unreadable",
      message: `the private key ${privateKeyPath} cannot be read (ENOENT)`,
    });
  });
});
