import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { noise } from "../bundle/bundled.ts";
import { root } from "../docs/pages.ts";
import { newTool, type Tool } from "../help/tool.ts";

test("each command in docs/ami-tools.md that takes the place of an old one works, one after the other", async () => {
  await using tool = await newTool();
  const image = Buffer.concat([noise(12 * 1024 * 1024), Buffer.alloc(20 * 1024 * 1024)]);
  await writeFile(tool.path("web.img"), image);
  await writeFile(tool.path("web.img.gz"), gzipSync(image, { level: 1 }));
  for (const folder of ["bundle", "restored", "copy"]) await mkdir(tool.path(folder));
  const emulator = await emulatorOf(tool);
  const state = await readFile(tool.path("aws/identity.json"), "utf8");
  const { accountId = "" } = JSON.parse(state) as { accountId?: string };
  const failures: string[] = [];
  const lines = await commands();
  for (const line of lines) {
    // Of the line as it stands there: the program as a command, and another AWS than the real one.
    const place = /imgspec (upload|download|delete)|s3:/.test(line) ? ` --emulator ${emulator}` : "";
    const shell = `imgspec() { "$node" "$bin" "$@"; }; node=$1 bin=$2; ${line}${place}`;
    const { code, stderr } = await tool.run([], { shell, env: { GOV_ACCOUNT: accountId } });
    if (code !== 0) failures.push(`${line}: ${code} ${stderr}`);
  }
  expect(failures).toEqual([]);
  expect(lines).toHaveLength(16);
  for (const path of ["restored/web.img", "copy/web.img"]) {
    expect((await readFile(tool.path(path))).equals(image)).toBe(true);
  }
});

/** The right column of the table, a pipe without the backslash that the table takes. */
async function commands(): Promise<string[]> {
  const text = await readFile(join(root, "docs/ami-tools.md"), "utf8");
  const rows = text.matchAll(/^\| .* \| `([^`]+)` +\|$/gm);
  return [...rows].map(([, command = ""]) => command.replaceAll("\\|", "|"));
}

/** The URL of an emulator that runs until the tool is disposed of. */
async function emulatorOf(tool: Tool): Promise<string> {
  const { process, ended } = tool.start(["emulator", "start", "--dir", "aws"]);
  return new Promise((found, reject) => {
    process.stdout?.on("data", (chunk: Buffer) => {
      const [url] = /http:\/\/[\d.:]+/.exec(chunk.toString()) ?? [];
      if (url !== undefined) found(url);
    });
    void ended.then(({ stderr }) => reject(new Error(stderr)));
  });
}
