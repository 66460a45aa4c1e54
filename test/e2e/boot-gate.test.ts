import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { type Cli, newCli } from "../help/cli.ts";
import { newEmulated } from "../help/emulated.ts";

const nothing = { instances: [], keyPairs: [], securityGroups: [], images: [], snapshots: [], objects: [] };

test("an image that boots and passes its tests is kept, and its instance is gone", async () => {
  await using gate = await newGate(`
  console: "^ip-[-0-9]+ login:"
  tests:
    - shell: smoke.sh
    - shell: { inline: 'test "$(id -u)" = 0', sudo: true }
`);
  await writeFile(join(gate.cli.folder, "smoke.sh"), '#!/bin/sh\necho "the image says $(greet)"\n');
  const { code, stdout } = await gate.build();
  expect(stdout).toContain("the image says Hello from an image of my own");
  expect(stdout).toMatch(/the console output shows: ip-[-0-9]+ login:/);
  expect(stdout).toMatch(/booted as i-\w+, 2 tests passed/);
  expect(code).toBe(0);
  const { images } = await gate.cli.result();
  const { instances, keyPairs, securityGroups, ...kept } = gate.emulator.left();
  expect({ instances, keyPairs, securityGroups }).toEqual({
    instances: [],
    keyPairs: [],
    securityGroups: [],
  });
  expect(kept.images).toEqual([images[0]?.imageId]);
  expect(kept.objects.length).toBeGreaterThan(1);
  expect(images[0]?.boot).toMatchObject({ testCount: 2 });
});

test("an image that fails a test is not kept: what it printed and its console output are", async () => {
  await using gate = await newGate(
    `
  tests:
    - shell: { inline: "echo the greeting is wrong; exit 3" }
`,
    "login",
  );
  const { code, stdout } = await gate.build();
  expect(code).toBe(7);
  expect(stdout).toMatch(
    /the new image ami-\w+ did not pass its boot gate: .*verify\.tests\[0\].* exited with 3/,
  );
  expect(stdout).toContain("the greeting is wrong");
  expect(gate.emulator.left()).toEqual(nothing);
  expect(gate.emulator.calls("DeregisterImage")).toBe(1);

  const { images, failures, leftBehind } = await gate.cli.result();
  expect(images).toMatchObject([{ imageId: null, boot: null, outcome: "failed" }]);
  expect(leftBehind).toEqual([]);
  expect(failures).toMatchObject([{ task: "us-east-1/boot", code: "boot-failed", exitCode: 7 }]);
  const file = failures[0]?.file ?? "";
  expect(failures[0]?.hint).toContain(`its console output is in ${file}`);
  // What the run keeps secret is not in it either.
  const said = await readFile(file, "utf8");
  expect(said).toMatch(/^ip-[-0-9]+ \*\*\*:/m);
  expect(said).not.toContain("login");
});

test("a console pattern alone is enough, and nobody logs in", async () => {
  await using gate = await newGate(`
  console: "login:"
`);
  const { code, stdout } = await gate.build();
  expect(code).toBe(0);
  expect(stdout).not.toMatch(/us-east-1\/boot +.*host key/);
  expect(stdout).toMatch(/booted as i-\w+/);
});

test("a pattern that never comes is named in the end, with the last lines of the console", async () => {
  await using gate = await newGate(`
  console: "the database is up"
  timeout: 2s
`);
  const { code, stdout } = await gate.build();
  expect(code).toBe(7);
  expect(stdout).toMatch(
    /the console output of i-\w+ did not show the database is up within 2 s; it ends with/,
  );
  expect(stdout).toMatch(/ends with\n(?: .*\n)* +ip-[-0-9]+ login:\n/);
  expect(gate.emulator.left()).toEqual(nothing);
  expect((await gate.cli.result()).failures).toMatchObject([
    { code: "boot-failed", file: expect.stringMatching(/us-east-1-boot-console\.log$/) },
  ]);
});

test("Ctrl-C during the gate leaves neither image nor objects nor instance", async () => {
  await using gate = await newGate(`
  tests:
    - shell: { inline: "echo at work; sleep 600" }
`);
  const args = ["build", "image.yaml", "--emulator", gate.emulator.url];
  const started = await gate.cli.start(/us-east-1\/boot.*at work/, ...args);
  expect(gate.emulator.left().images).toHaveLength(1);
  started.process.kill("SIGINT");
  expect((await started.ended).code).toBe(130);
  expect(gate.emulator.left()).toEqual(nothing);
});

test("what the kill of a run leaves in the gate is given back by clean: the image was not the product yet", async () => {
  await using gate = await newGate(`
  tests:
    - shell: { inline: "echo at work; sleep 600" }
`);
  const args = ["build", "image.yaml", "--emulator", gate.emulator.url];
  const started = await gate.cli.start(/us-east-1\/boot.*at work/, ...args);
  started.process.kill("SIGKILL");
  const { stdout } = await started.ended;
  const [run = ""] = /\d{8}-\d{6}-\w+/.exec(stdout) ?? [];
  const { code } = await gate.cli.run("clean", run);
  expect(code).toBe(0);
  expect(gate.emulator.left()).toEqual(nothing);
});

test("the gate's own instance types and profile are looked at before anything is created", async () => {
  await using gate = await newGate(`
  boot: true
  launch: { instanceTypes: [r3.large] }
`);
  const { code, stdout } = await gate.build();
  expect(code).toBe(4);
  expect(stdout).toContain("r3.large (it does not run paravirtual)");
  expect(gate.emulator.calls("ImportKeyPair")).toBe(0);
});

type Gate = AsyncDisposable & {
  readonly cli: Cli;
  readonly emulator: Emulator;
  build(): ReturnType<Cli["run"]>;
};

/** The quickstart with a section `verify`. */
async function newGate(verify: string, secret?: string): Promise<Gate> {
  const cli = await newCli("quickstart", secret === undefined ? {} : { IMGSPEC_VAR_token: secret });
  const path = join(cli.folder, "image.yaml");
  const emulator = await newEmulated(path);
  if (secret !== undefined) {
    const spec = await readFile(path, "utf8");
    const local = `  - local: { command: ":", env: { TOKEN: "\${{ vars.token }}" } }\n`;
    await writeFile(
      path,
      spec
        .replace("variables:\n", "variables:\n  token: { sensitive: true }\n")
        .replace("provision:\n", `provision:\n${local}`),
    );
  }
  await writeFile(join(cli.folder, "smoke.sh"), "#!/bin/sh\n");
  await appendFile(path, `\nverify:${verify}`);
  return {
    cli,
    emulator,
    build: () => cli.run("build", "image.yaml", "--emulator", emulator.url),
    async [Symbol.asyncDispose]() {
      await cli[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
    },
  };
}
