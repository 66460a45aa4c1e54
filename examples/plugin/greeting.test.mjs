// Run by: node --test
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { build, Problem } from "imgspec";

const spec = fileURLToPath(new URL("image.yaml", import.meta.url));
const signature = "the whole team, f3a9";

test("an image greets as its spec says, and what is secret is not told", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "greeting-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  /** @type {import("imgspec").RunEvent[]} */
  const events = [];
  const { outcome, failures } = await build(spec, {
    cloud: "emulate",
    variables: { signature },
    tryCommand: "greet",
    stateDirectory: join(directory, "runs"),
    resultPath: join(directory, "result.json"),
    onEvent: (event) => events.push(event),
  });
  assert.deepEqual([outcome, failures], ["succeeded", []]);
  const lines = events.flatMap((event) => (event.type === "task.log" ? [event.line] : []));
  assert.ok(lines.some((line) => /^i-[0-9a-f]+ greets in 2 lines$/.test(line)));
  assert.ok(lines.includes("Hello us-east-1."));
  assert.ok(!JSON.stringify(events).includes(signature));
});

test("who cannot be greeted is told before anything is built", async (context) => {
  const directory = await mkdtemp(join(tmpdir(), "greeting-"));
  context.after(() => rm(directory, { recursive: true, force: true }));
  const text = (await readFile(spec, "utf8"))
    .replace("./plugins/greeting.mjs", fileURLToPath(new URL("plugins/greeting.mjs", import.meta.url)))
    .replace("world,", `"it's me",`);
  await writeFile(join(directory, "image.yaml"), text);
  const problem = await build(join(directory, "image.yaml"), { variables: { signature } }).catch(
    (error) => error,
  );
  assert.ok(problem instanceof Problem);
  assert.deepEqual(
    problem.diagnostics.map(({ message }) => message),
    ["provision[0].greet.to[0] must be a name"],
  );
});
