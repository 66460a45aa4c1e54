import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Problem } from "../../src/problem.ts";
import { type PluginInput, plugin } from "../../src/stage/plugin.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";

const why = await whyNot();
const canary = "canary-2f9c41-of-the-plugin-stage";

/** By kind, the body of `run(context, options)`. */
const provisioners: Readonly<Record<string, string>> = {
  works: `
    const { run, upload, download, log, secret, hide, instance, region, directory } = context;
    if (instance.user !== "ec2-user" || region !== "us-east-1") throw new Error("elsewhere");
    await upload("sent.txt", "/srv/sent.txt", { mode: "0640", sudo: true });
    const both = [run("echo one"), run("echo two; echo $TOKEN >/tmp/token", { env: { TOKEN: secret(options.token) } })];
    const outputs = await Promise.all(both);
    const { code, stdout, stderr } = await run("stat -c %a /srv/sent.txt; id -u >&2; exit 3", { sudo: true, exitCodes: [3] });
    log([...outputs.map((one) => one.stdout.trim()), code, stdout.trim(), stderr.trim()].join(" "));
    await download("/tmp/token", "token.txt");
    hide("derived");
    await new Promise((resolve) => setTimeout(resolve, 10));
    console.log("printed %s of %d", "this", 2);
    console.error(new Date(0));
    options.token = "changed";`,
  throws: 'throw new TypeError("options.site is undefined", { cause: new Error("no site") });',
  hurries: 'context.run("sleep 5; exit 1");',
  throwsText: 'throw "plainly";',
  exits: 'await context.run("exit 7");',
  fallsOnce: `globalThis.falls = (globalThis.falls ?? 0) + 1;
    if (globalThis.falls === 1) throw new Error("not yet");
    context.log("fell " + globalThis.falls);`,
  ends: `await new Promise((resolve) => context.signal.addEventListener("abort", resolve));
    context.log("given back");`,
  deaf: `globalThis.late = "not yet";
    await new Promise((resolve) => setTimeout(resolve, 4500));
    await context.run("echo too late").catch((error) => { globalThis.late = error.message; });
    context.log("too late");`,
};

describe.skipIf(why !== undefined)(`a plugin (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let directory: string;
  let module: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "imgspec-plugin-stage-"));
    module = join(directory, "plugins/testing.mjs");
    await mkdir(join(directory, "plugins"));
    await writeFile(join(directory, "sent.txt"), "sent");
    const kinds = Object.entries(provisioners).map(
      ([kind, body]) => `${kind}: { schema: { type: "object" }, async run(context, options) {${body}} }`,
    );
    await writeFile(
      module,
      `export default { imgspec: 1, name: "testing", provisioners: { ${kinds.join(",\n")} } };`,
    );
    builder = await newBuilder({ "us-east-1/token": canary });
  });
  afterAll(async () => {
    await builder[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  test("works on the instance in the order that it asks, and what it prints is said by its task", async () => {
    const token = { $secret: "us-east-1/token" };
    const lines = await run("works", { told: { options: { token } } });
    // The third comes on another stream than the fourth: no order is promised between them.
    expect([...lines.slice(0, 2), ...lines.slice(2, 4).sort(), ...lines.slice(4)]).toEqual([
      "one",
      "two",
      "0",
      "640",
      "one two 3 640 0",
      "printed this of 2",
      "1970-01-01T00:00:00.000Z",
    ]);
    expect(await readFile(join(directory, "token.txt"), "utf8")).toBe(`${canary}\n`);
    expect(builder.rig.hidden).toEqual([canary, "derived"]);
    expect(token).toEqual({ $secret: "us-east-1/token" });
  });

  test("that does not wait for what it asks fails, whatever would have come of it", async () => {
    await expect(run("hurries")).rejects.toThrow(
      /^the plugin testing ended in .* before a request of it was done$/,
    );
  });

  test("that throws fails its step by its name, with its error and the place of that", async () => {
    const thrown = await run("throws").catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Problem);
    expect(thrown).toMatchObject({
      code: "plugin-failed",
      message: "the plugin testing failed in provision[2].throws: options.site is undefined",
      hint: expect.stringMatching(/^thrown in \/.*\/plugins\/testing\.mjs:\d+:\d+$/),
      cause: { message: "no site" },
    });
    await expect(run("throwsText")).rejects.toMatchObject({
      message: "the plugin testing failed in provision[2].throwsText: plainly",
      hint: `it is ${module}`,
    });
    await expect(run("exits")).rejects.toMatchObject({
      code: "command-failed",
      message: "a script of provision[2].exits exited with 7",
    });
    await expect(run("gone")).rejects.toMatchObject({
      message: 'the plugin testing has no provisioner "gone" any more',
    });
  });

  test("that fails is tried again as often as its step says", async () => {
    expect(await run("fallsOnce", { retries: 1 })).toEqual([
      "the plugin testing failed in provision[2].fallsOnce: not yet; provision[2].fallsOnce again in 1 s (1 of 1 retries)",
      "fell 2",
    ]);
  });

  test("may end by itself when its time is over", async () => {
    const from = builder.rig.lines.length;
    await expect(run("ends", { timeoutSeconds: 1 })).rejects.toMatchObject({
      code: "command-timeout",
      message: "provision[2].ends took longer than 1 s",
    });
    expect(builder.rig.lines.slice(from)).toEqual(["given back"]);
  });

  test("that is deaf when the build is stopped is not waited for, and can do nothing more", async () => {
    const from = builder.rig.lines.length;
    const stop = new AbortController();
    const running = run("deaf", {}, stop.signal);
    setTimeout(() => stop.abort(new Problem("interrupted", "SIGINT")), 200);
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    const late = (): unknown => (globalThis as { late?: unknown }).late;
    await expect.poll(late, { timeout: 5000 }).toBe("SIGINT");
    expect(builder.rig.lines.slice(from)).toEqual([
      "the plugin testing did not end when it was asked to; going on without it",
    ]);
  });

  async function run(
    provisioner: string,
    change: Partial<PluginInput> = {},
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const from = builder.rig.lines.length;
    const input: PluginInput = {
      on: builder.on,
      plugin: { name: "testing", version: null, module, contents: "" },
      provisioner,
      told: { options: {} },
      directory,
      timeoutSeconds: 60,
      retries: 0,
      label: `provision[2].${provisioner}`,
      ...change,
    };
    expect(await builder.rig.stage(plugin, input, signal)).toEqual(builder.on);
    return builder.rig.lines.slice(from);
  }
});
