import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ShellInput, shell } from "../../src/stage/shell.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a script (skipped where there is no sandbox: ${why})`, () => {
  const canary = "canary-3f9a1c-of-the-shell-stage";
  let builder: Builder;

  beforeAll(async () => {
    builder = await newBuilder({ token: canary });
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  test("a script's lines are told as it prints them, and nothing of it is left on the instance", async () => {
    const before = await leftovers();
    const lines = await run({ script: { inline: "echo one; echo two >&2" } });
    expect(lines.sort()).toEqual(["one", "two"]);
    await run({ script: { inline: "true" }, sudo: true });
    expect(await leftovers()).toEqual(before);
  });

  test("an inline script ends at its first failing command, unless it names its own interpreter", async () => {
    const failed = run({ script: { inline: "echo begun\nfalse\necho gone on" } });
    await expect(failed).rejects.toMatchObject({
      code: "command-failed",
      message: "the inline script (provision[0]) exited with 1",
      hint: "exit codes that count as success: 0",
    });
    expect(builder.rig.lines.at(-1)).toBe("begun");
    expect(await run({ script: { inline: "#!/bin/sh\nfalse\necho gone on" } })).toEqual(["gone on"]);
  });

  test("a script from a file is named by its path when it fails", async () => {
    const path = join(builder.rig.run.directory, "install.sh");
    await writeFile(path, "#!/bin/sh\nexit 7\n");
    await expect(run({ script: { path, contents: "" } })).rejects.toMatchObject({
      message: `${path} (provision[0]) exited with 7`,
    });
  });

  test("an exit code that the spec allows is a success", async () => {
    await run({ script: { inline: "exit 3" }, exitCodes: [0, 3] });
  });

  test("a script that a signal ended is told so", async () => {
    await expect(run({ script: { inline: "kill -TERM $$" } })).rejects.toMatchObject({
      message: "the inline script (provision[0]) was ended by SIGTERM (exit code 143)",
    });
  });

  test("a script that fails is run again as often as the spec allows, and no more", async () => {
    const inline = "echo x >> /tmp/tries; [ $(wc -l < /tmp/tries) -ge 2 ]";
    await run({ script: { inline }, retries: 1 });
    expect(await builder.sh("wc -l < /tmp/tries")).toMatch(/^\s*2\n/);
    const lines = await run({ script: { inline: "false" }, retries: 1 }).catch(() => builder.rig.lines);
    expect(lines.filter((line) => line.includes("again in"))).toHaveLength(2);
  });

  test("a script that takes too long is ended with all that it started", async () => {
    const inline = "sleep 4711 & sleep 4712";
    await expect(run({ script: { inline }, timeoutSeconds: 1 })).rejects.toMatchObject({
      code: "command-timeout",
    });
    expect(await commandLines()).not.toMatch(/471[12]/);
  });

  test("with sudo a script runs as root; it runs where the spec says, or in the user's home", async () => {
    expect(await run({ script: { inline: "id -u; pwd" }, sudo: true, workdir: "/usr" })).toEqual([
      "0",
      "/usr",
    ]);
    expect(await run({ script: { inline: "pwd" } })).toEqual(["/home/ec2-user"]);
    await expect(run({ script: { inline: "true" }, workdir: "/no/such/place" })).rejects.toMatchObject({
      code: "command-failed",
    });
  });

  test("a secret reaches the script, and no process list, log or journal", async () => {
    const env = { TOKEN: { $secret: "token" }, PLAIN: "it's $plain" };
    const before = builder.rig.lines.length;
    const running = run({ script: { inline: 'sleep 1; printf %s "$TOKEN" | wc -c; echo "$PLAIN"' }, env });
    const seen: string[] = [];
    while (!(await settled(running))) seen.push(await commandLines(), await onBuilder());
    expect((await running).map((line) => line.trim())).toEqual([String(canary.length), "it's $plain"]);
    expect(seen.join()).toContain("sleep");
    expect(seen.join()).not.toContain(canary);
    expect(builder.rig.lines.slice(before).join()).not.toContain(canary);
    expect(await readFile(join(builder.rig.run.directory, "journal.jsonl"), "utf8")).not.toContain(canary);
  });

  async function run(change: Partial<ShellInput>): Promise<string[]> {
    const { rig, on } = builder;
    const before = rig.lines.length;
    await rig.stage(shell, {
      on,
      script: { inline: "true" },
      env: {},
      sudo: false,
      workdir: null,
      exitCodes: [0],
      timeoutSeconds: 60,
      retries: 0,
      label: "provision[0]",
      ...change,
    });
    return rig.lines.slice(before);
  }

  /** Whatever a script could have left. */
  function leftovers(): Promise<string> {
    return builder.sh("find /tmp /var/tmp /run $HOME -name '*imgspec*' 2>/dev/null; true");
  }

  /** Every command line and environment in the instance that its root can read. */
  function commandLines(): Promise<string> {
    return builder.sh("sudo -n sh -c 'cat /proc/[0-9]*/cmdline 2>/dev/null; true'");
  }

  async function onBuilder(): Promise<string> {
    const { processesLike } = await import("../help/processes.ts");
    return (await processesLike(/./)).join();
  }

  function settled(work: Promise<unknown>): Promise<boolean> {
    const over = work.then(
      () => true,
      () => true,
    );
    return Promise.race([over, new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20))]);
  }
});
