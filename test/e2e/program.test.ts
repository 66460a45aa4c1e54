import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { transform } from "esbuild";
import { expect, test } from "vitest";
import { noise } from "../bundle/bundled.ts";
import { blocks, root } from "../docs/pages.ts";
import { newTool } from "../help/tool.ts";

const [program] = blocks("ts").filter(({ text }) => text.includes("bundleImage"));

test("the program in docs/bundles.md bundles an image with what the package exports, and verifies it", async () => {
  await using tool = await newTool();
  await mkdir(tool.path("out"));
  await writeFile(tool.path("web.img"), noise(1_000_000));
  const { code } = await transform(program?.text ?? "", { loader: "ts", format: "esm", target: "node20.19" });
  const exported = pathToFileURL(join(root, "dist/lib/index.js")).href;
  await writeFile(
    tool.path("program.mjs"),
    `${code.replace('"imgspec"', JSON.stringify(exported))}\nprocess.stdout.write(JSON.stringify({ isGood, checks }));`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["program.mjs"], { cwd: tool.folder });
  const { isGood, checks } = JSON.parse(stdout) as { isGood: boolean; checks: { outcome: string }[] };
  expect([isGood, checks.map(({ outcome }) => outcome)]).toEqual([true, Array(5).fill("passed")]);
  expect(await tool.files()).toEqual(["out", "program.mjs", "web.img"]);
});
