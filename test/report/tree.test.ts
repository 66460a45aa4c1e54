import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify, stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { PlanBuilder } from "../../src/plan/plan.ts";
import { chooseReporter } from "../../src/report/reporter.ts";
import { compile } from "../help/compile.ts";
import { runPlan, toStage, toStages } from "../run/rig.ts";
import { toScreen } from "./screen.ts";
import { showStory } from "./story.ts";

/** util-linux's, which runs a command in a terminal of its own. */
const script = "script";
const hasScript = spawnSync(script, ["--version"]).stdout?.toString().includes("util-linux") ?? false;

test("the tree keeps every task with its time, and what went wrong", async () => {
  const screen = (await showOn(80, 30, true)).map((line) => line.replace(/\b\d+\.\ds/g, "<time>"));
  expect(screen.slice(0, 9).join("\n")).toMatchInlineSnapshot(`
    "✖ us-east-1
      ✔ Launch an instance  <time>
      ✖ install.sh  <time>  install.sh ended with exit code 7
      ↓ Bundle the root volume  us-east-1/provision.1 failed
      ↓ Upload the bundle  us-east-1/provision.1 failed
      ↓ Register the image  us-east-1/provision.1 failed
    ✖ Clean up  1 of 2 given back  <time>

    us-east-1/provision.1 failed  command-failed"
  `);
});

test("the tree of a run that succeeds ends with the images", async () => {
  const screen = (await showOn(80, 30, false)).map((line) => line.replace(/\b\d+\.\ds/g, "<time>"));
  expect(screen.join("\n")).toMatchInlineSnapshot(`
    "✔ us-east-1
      ✔ Launch an instance  <time>
      ✔ install.sh  <time>
      ✔ Bundle the root volume  <time>
      ✔ Upload the bundle  <time>
      ✔ Register the image  <time>  ami-0123
    ✔ Clean up  2 of 2 given back  <time>

    us-east-1  ami-0123  web-2026.11
      s3://acme/web/image.manifest.xml  5.0 MiB

    web: done in <time>
    "
  `);
});

test("on a terminal of 40 columns no line of the tree is wider", async () => {
  const { text } = await showTree(40, 20, true);
  const frames = text.slice(0, text.lastIndexOf("\u001b[?25h"));
  const widest = Math.max(
    ...stripVTControlCharacters(frames)
      .split("\n")
      .map((line) => [...line].length),
  );
  expect(widest).toBeLessThanOrEqual(40);
});

test("tasks that are over before anything is drawn are drawn all the same", async () => {
  const quick = toStage("quick", () => null);
  const plan = new PlanBuilder("quick");
  for (let index = 0; index < 5; index += 1) plan.add("r", `t${index}`, quick, {}, `task ${index}`);
  const stream = toTerminal(60, 20);
  await using reporter = await chooseReporter(toOptions(stream));
  await runPlan(plan.toPlan(), toStages(quick), { onEvent: (event) => reporter.report(event) });
  await reporter.idle();
  const screen = toScreen(stream.written(), 60).map((line) => line.replace(/ +\d+\.\ds$/, ""));
  expect(screen.filter((line) => line !== "")).toEqual([
    "✔ r",
    ...[0, 1, 2, 3, 4].map((index) => `  ✔ task ${index}`),
  ]);
});

test("a pause takes the tree off the screen for a question, and it goes on below", async () => {
  const stream = toTerminal(60, 20);
  await using reporter = await chooseReporter(toOptions(stream));
  const task = { id: "r/a", group: "r", title: "asks", needs: [] };
  reporter.report({ at: 0, type: "run.started", schema: 1, run: "r1", name: "x", tasks: [task] });
  reporter.report({ at: Date.now(), type: "task.started", task: "r/a" });
  await expect.poll(() => stream.written()).toContain("asks");
  const pause = reporter.pause();
  stream.write("go on? yes\n");
  await sleep(250);
  const shown = stream.written();
  expect(toScreen(shown, 60).filter((line) => line !== "")).toEqual(["go on? yes"]);
  pause[Symbol.dispose]();
  reporter.report({ at: Date.now(), type: "task.succeeded", task: "r/a", ms: 1, summary: null });
  await reporter.idle();
  const screen = toScreen(stream.written(), 60).map((line) => line.replace(/ +\d+\.\ds$/, ""));
  expect(screen.filter((line) => line !== "")).toEqual(["go on? yes", "✔ r", "  ✔ asks"]);
});

test("a run that broke off leaves no drawing behind that goes on", async () => {
  const stream = toTerminal(60, 20);
  const reporter = await chooseReporter(toOptions(stream));
  const task = { id: "r/a", group: "r", title: "never ends", needs: [] };
  reporter.report({ at: 0, type: "run.started", schema: 1, run: "r1", name: "x", tasks: [task] });
  reporter.report({ at: 0, type: "task.started", task: "r/a" });
  await reporter[Symbol.asyncDispose]();
  // The cursor is given back last.
  expect(stream.written().endsWith("\u001b[?25h")).toBe(true);
});

test.skipIf(!hasScript)(
  "in a real terminal the tree is drawn, and is whole at the end (needs script)",
  async () => {
    await using program = await compile("test/report/demo-program.ts");
    const command = `stty cols 70 rows 30; "${process.execPath}" "${program.path}" auto fail 0.2`;
    const env = { ...process.env, TERM: "xterm", CI: "", NO_COLOR: "" };
    const running = promisify(execFile)(script, ["-qec", command, "/dev/null"], { env }).catch(
      (error) => error,
    );
    const { stdout, code } = (await running) as { stdout: string; code?: number };
    expect(code).toBe(5);
    const screen = toScreen(stdout, 70).map((line) => line.replace(/ +\d+\.\ds.*$/, ""));
    expect(screen.slice(0, 16)).toEqual([
      "✔ us-east-1",
      "  ✔ Launch an instance",
      "  ✔ scripts/install.sh",
      "  ✔ Bundle the root volume",
      "  ✔ Register the image",
      "✖ cn-north-1",
      "  ✔ Launch an instance",
      "  ✖ scripts/install.sh",
      "  ↓ Bundle the root volume  cn-north-1/provision.1 failed",
      "  ↓ Register the image  cn-north-1/provision.1 failed",
      "✔ us-gov-west-1",
      "  ✔ Launch an instance",
      "  ✔ scripts/install.sh",
      "  ✔ Bundle the root volume",
      "  ✔ Register the image",
      "✔ Clean up  4 of 4 given back",
    ]);
    expect(stdout).toContain("MiB of 858 MiB");
  },
);

test.each(["plain", "ndjson"])("when nobody reads %s any more, the run stops and cleans up", async (mode) => {
  await using program = await compile("test/report/demo-program.ts");
  const child = spawn(process.execPath, [program.path, mode, "", "0.2"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await once(child.stdout, "data");
  child.stdout.destroy();
  const [code] = (await once(child, "close")) as [number | null];
  expect({ code, said }).toEqual({ code: 130, said: "left in the world: 0\n" });
});

type Terminal = PassThrough & { written(): string };

function toTerminal(columns: number, rows: number): Terminal {
  const chunks: Buffer[] = [];
  const stream = Object.assign(new PassThrough(), {
    ...{ isTTY: true, columns, rows },
    written: () => Buffer.concat(chunks).toString(),
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return stream;
}

function toOptions(stream: Terminal): Parameters<typeof chooseReporter>[0] {
  return { output: "tree", stream, environment: {}, color: "never", onClosed: () => undefined };
}

async function showTree(columns: number, rows: number, fails: boolean): Promise<{ text: string }> {
  const stream = toTerminal(columns, rows);
  await showStory(fails, { output: "tree", color: "never", stream });
  return { text: stream.written() };
}

async function showOn(columns: number, rows: number, fails: boolean): Promise<readonly string[]> {
  return toScreen((await showTree(columns, rows, fails)).text, columns);
}
