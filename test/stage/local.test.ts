import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import type { LaunchedInstance } from "../../src/stage/launch.ts";
import { type LocalInput, local } from "../../src/stage/local.ts";
import { processesLike } from "../help/processes.ts";
import { account } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const on: LaunchedInstance = {
  account,
  instanceId: "i-0123456789abcdef0",
  instanceType: "m3.medium",
  host: "203.0.113.7",
  port: 2222,
  user: "ec2-user",
  privateKeyPath: "/run/key",
  publicKey: "ssh-ed25519 AAAA",
  hostKey: "ssh-ed25519 BBBB",
  connectTimeoutSeconds: 30,
};
let workdir: string;
let rig: StageRig;

beforeAll(async () => {
  workdir = await mkdtemp(join(tmpdir(), "imgspec-local-"));
  rig = await newStageRig({ networkProxy: "http://127.0.0.1:4000" }, { token: "s3cret value" });
});
afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await rm(workdir, { recursive: true, force: true });
});

test("a command is told where the instance is and how to get there", async () => {
  const lines = await run({ command: "env | grep ^IMGSPEC_ | grep -v ^IMGSPEC_TEST_ | sort; pwd" });
  expect(lines).toEqual([
    "IMGSPEC_HOST=203.0.113.7",
    "IMGSPEC_HOST_KEY=ssh-ed25519 BBBB",
    "IMGSPEC_INSTANCE_ID=i-0123456789abcdef0",
    "IMGSPEC_PORT=2222",
    "IMGSPEC_PRIVATE_KEY_PATH=/run/key",
    "IMGSPEC_PROXY=http://127.0.0.1:4000",
    "IMGSPEC_REGION=us-east-1",
    "IMGSPEC_USER=ec2-user",
    workdir,
  ]);
});

test("the spec's variables and secrets are in its environment, both outputs are told", async () => {
  const env = { GREETING: "hello", TOKEN: { $secret: "token" } };
  const lines = await run({ command: 'echo "$GREETING, $TOKEN"; echo oh >&2', env });
  expect(lines.sort()).toEqual(["hello, s3cret value", "oh"]);
});

test("a command that fails is told with its exit code and where it ran", async () => {
  await expect(run({ command: "exit 9" })).rejects.toMatchObject({
    code: "command-failed",
    message: "the local command of provision[2] exited with 9",
    hint: `it ran in ${workdir}: exit 9`,
  });
  await expect(run({ command: "kill -KILL $$" })).rejects.toMatchObject({
    message: "the local command of provision[2] was ended by SIGKILL",
  });
});

test("a directory that is not there is a problem with a hint, not a bug", async () => {
  await expect(run({ command: "true", workdir: "/no/such/place" })).rejects.toMatchObject({
    code: "command-failed",
    message: "/bin/sh cannot be started in /no/such/place",
  });
});

test("a command that takes too long is ended with all that it started, deaf or not", async () => {
  const command = `trap "" TERM; (trap "" TERM; sleep 4821; sleep 4822) & sleep 4823; sleep 4824`;
  await expect(run({ command, timeoutSeconds: 0.2 })).rejects.toMatchObject({
    code: "command-timeout",
    message: "the local command of provision[2] took longer than 0.2 s",
  });
  await expect.poll(() => processesLike(/sleep 482[1-4]/)).toEqual([]);
});

test("an interrupt ends the command, with its own reason", async () => {
  const stop = new AbortController();
  const running = run({ command: "echo begun; sleep 4831" }, stop.signal);
  running.catch(() => undefined);
  await expect.poll(() => rig.lines.at(-1)).toBe("begun");
  stop.abort(new Problem("interrupted", "Ctrl-C"));
  await expect(running).rejects.toMatchObject({ code: "interrupted" });
  expect(await processesLike(/sleep 4831/)).toEqual([]);
});

async function run(change: Partial<LocalInput>, signal?: AbortSignal): Promise<string[]> {
  const before = rig.lines.length;
  const input = {
    on,
    command: "true",
    env: {},
    workdir,
    timeoutSeconds: 60,
    retries: 0,
    label: "provision[2]",
    ...change,
  };
  await rig.stage(local, input, signal);
  return rig.lines.slice(before);
}
