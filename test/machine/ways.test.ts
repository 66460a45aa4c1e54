import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeKeyPair } from "../../src/machine/key-pair.ts";
import type { Hop, MachineAddress } from "../../src/machine/machine.ts";
import { connect } from "../../src/machine/ssh.ts";
import { Problem } from "../../src/problem.ts";
import { startConnectProxy } from "../help/connect-proxy.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { startSocksProxy } from "../help/socks-proxy.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";

const signal = AbortSignal.timeout(120_000);

describe.skipIf(!haveSshd)("ways to OpenSSH's sshd (skipped where /usr/sbin/sshd is missing)", () => {
  let target: Sshd;
  let bastion: Sshd;
  beforeAll(async () => {
    [target, bastion] = await Promise.all([startSshd(), startSshd()]);
  });
  afterAll(async () => {
    await Promise.all([target[Symbol.asyncDispose](), bastion[Symbol.asyncDispose]()]);
  });

  const toHop = ({ address, hostKey }: Sshd, change: Partial<Hop> = {}): Hop => ({
    host: address.host,
    port: address.port,
    user: address.user,
    privateKeyPath: address.privateKeyPath,
    hostKeys: [hostKey],
    ...change,
  });
  const hello = async (change: Partial<MachineAddress>): Promise<string> => {
    await using machine = await connect({ ...target.address, ...change }, { signal, timeoutMs: 20_000 });
    return (await machine.run("echo hello", { signal })).stdout;
  };
  const failing = async (change: Partial<MachineAddress>, timeoutMs = 1500): Promise<Problem> => {
    try {
      await using _ = await connect({ ...target.address, ...change }, { signal, timeoutMs });
    } catch (error) {
      if (error instanceof Problem) return error;
      throw error;
    }
    throw new Error("connected");
  };

  test("a bastion is logged in to with its own key, and all goes through it", async () => {
    await using relay = await startCuttingProxy(bastion.address.port);
    const bastions = [toHop(bastion, { port: relay.port })];
    await using machine = await connect({ ...target.address, bastions }, { signal, timeoutMs: 20_000 });
    const bytes = await machine.run("head -c 3000000 /dev/zero | wc -c; head -c 3000000 /dev/zero", {
      signal,
    });
    expect(bytes.code).toBe(0);
    expect(relay.made).toBe(1);
    const lost = expect(machine.run("sleep 20", { signal })).rejects.toMatchObject({
      code: "connect-failed",
    });
    relay.cut();
    await lost;
  });

  test("nothing of the way is left open when the machine is let go", async () => {
    await using relay = await startCuttingProxy(bastion.address.port);
    expect(await hello({ bastions: [toHop(bastion, { port: relay.port })] })).toBe("hello\n");
    await expect.poll(() => relay.open, { timeout: 10_000 }).toBe(0);
  });

  test("two bastions in a row, behind a proxy, are gone through in their order", async () => {
    await using second = await startSshd();
    await using proxy = await startSocksProxy();
    await using middle = await startCuttingProxy(second.address.port);
    const bastions = [toHop(bastion), toHop(second, { port: middle.port })];
    expect(await hello({ bastions, proxy: proxy.url })).toBe("hello\n");
    expect(proxy.asked).toEqual([`127.0.0.1:${bastion.address.port}`]);
    expect(middle.made).toBe(1);
  });

  test("a bastion that does not let us in is named, with the key", async () => {
    const privateKeyPath = join(bastion.directory, "stranger");
    await makeKeyPair(privateKeyPath, "stranger");
    const hop = toHop(bastion, { privateKeyPath });
    const { message, hint } = await failing({ bastions: [hop] }, 20_000);
    expect(message).toMatch(
      /^\S+ could not be reached by SSH: the bastion \S+: the server did not accept the key$/,
    );
    expect(hint).toContain("connect.bastions");
  });

  test("a bastion that may not forward is named, with what it says", async () => {
    await using strict = await startSshd(["AllowTcpForwarding no"]);
    const { message, hint } = await failing({ bastions: [toHop(strict)] }, 60_000);
    expect(message).toMatch(/the bastion \S+ does not connect to 127\.0\.0\.1:\d+: .*(prohibited|failed)/i);
    expect(hint).toContain("AllowTcpForwarding");
  });

  test("a machine that refuses the bastion is told as that", async () => {
    const { message } = await failing({ bastions: [toHop(bastion)], port: 1 }, 5000);
    expect(message).toMatch(/the bastion \S+ does not connect to 127\.0\.0\.1:1: .*refused/i);
  });

  test("a bastion that is not there is named", async () => {
    const { message } = await failing({ bastions: [toHop(bastion, { port: 1 })] });
    expect(message).toMatch(/within 2 s: the bastion \S+@127\.0\.0\.1:1: connection refused$/);
  });

  test("another host key than the bastion's is told at once", async () => {
    const { code, message } = await failing({ bastions: [toHop(bastion, { hostKeys: [target.hostKey] })] });
    expect(code).toBe("host-key-changed");
    expect(message).toMatch(/^the bastion \S+: shows another host key: expected SHA256:/);
  });

  test("a SOCKS server is asked for the machine, by its name, with its user and password", async () => {
    await using proxy = await startSocksProxy({ credentials: "me:p@ss wörd" });
    const url = proxy.url.replace("//", `//me:${encodeURIComponent("p@ss wörd")}@`);
    expect(await hello({ host: "localhost", proxy: url })).toBe("hello\n");
    expect(proxy.asked).toEqual([`me:p@ss wörd@localhost:${target.address.port}`]);
  });

  test("a connection goes through the SOCKS server", async () => {
    await using proxy = await startSocksProxy();
    await using machine = await connect(
      { ...target.address, proxy: proxy.url },
      { signal, timeoutMs: 20_000 },
    );
    const running = machine.run("echo on; sleep 20", { signal, onLine: () => proxy.cut() });
    await expect(running).rejects.toMatchObject({ code: "connect-failed" });
  });

  test.each([
    ["wrong", /: the proxy 127\.0\.0\.1:\d+ does not accept the user and the password$/],
    ["", /: the proxy 127\.0\.0\.1:\d+ wants a user and a password$/],
  ])("a SOCKS server's refusal of the password %j is told without it, soon", async (password, why) => {
    await using proxy = await startSocksProxy({ credentials: "me:right" });
    const url = password === "" ? proxy.url : proxy.url.replace("//", `//me:${password}@`);
    const { message, hint } = await failing({ proxy: url }, 60_000);
    expect(message).toMatch(why);
    expect(message).not.toContain("me:");
    expect(hint).toContain("connect.proxy");
  });

  test("a SOCKS server that cannot reach the machine says why", async () => {
    await using proxy = await startSocksProxy({ refuse: 4 });
    const { message } = await failing({ proxy: proxy.url });
    expect(message).toMatch(/the proxy \S+ does not connect to 127\.0\.0\.1:\d+: host unreachable$/);
  });

  test("something else than a SOCKS server is told as that, and none as that", async () => {
    const url = `socks5://127.0.0.1:${target.address.port}`;
    expect((await failing({ proxy: url })).message).toMatch(/does not speak SOCKS 5|closed the connection/);
    expect((await failing({ proxy: "socks5://127.0.0.1:1" })).message).toMatch(
      /the proxy 127\.0\.0\.1:1 cannot be used: connection refused$/,
    );
  });

  test("an HTTP proxy that does not accept the password is told so, soon", async () => {
    await using proxy = await startConnectProxy({ status: 407 });
    const { message, hint } = await failing({ proxy: proxy.url.replace("//", "//me:secret@") }, 60_000);
    expect(message).toMatch(/: the proxy 127\.0\.0\.1:\d+ answered 407 to CONNECT 127\.0\.0\.1:\d+$/);
    expect(hint).toBe("check the user and the password of connect.proxy");
  });

  test("an SSH agent has the key, for the machine and for the bastion", async () => {
    await using agent = await startAgent(target, bastion);
    const change = { privateKeyPath: null, agent: agent.path };
    expect(await hello(change)).toBe("hello\n");
    expect(await hello({ ...change, bastions: [toHop(bastion, change)] })).toBe("hello\n");
  });

  test("an agent without the right key, and one that is not there, are told", async () => {
    await using agent = await startAgent(bastion);
    const wrong = await failing({ privateKeyPath: null, agent: agent.path }, 20_000);
    expect(wrong.message).toBe(
      `127.0.0.1 does not let "${target.address.user}" in with a key of the SSH agent`,
    );
    const missing = await failing({ privateKeyPath: null, agent: `${agent.path}-not` }, 20_000);
    expect(missing.message).toContain("a key of the SSH agent");
  });
});

/** OpenSSH's ssh-agent with the user keys of these servers. */
async function startAgent(...servers: readonly Sshd[]): Promise<AsyncDisposable & { readonly path: string }> {
  const path = join(servers[0]?.directory ?? "", "agent");
  const child = spawn("ssh-agent", ["-D", "-a", path], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  for (const { directory } of servers) {
    execFileSync("ssh-add", ["-q", join(directory, "user")], {
      env: { ...process.env, SSH_AUTH_SOCK: path },
      stdio: "ignore",
    });
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await once(child, "exit");
    },
  };
}
