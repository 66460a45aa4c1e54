import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newTool } from "../help/tool.ts";
import { canType, typing } from "../help/typist.ts";

const templates = readdirSync(join(import.meta.dirname, "../../templates"))
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => name.replace(".yaml", ""));

test("every template is offered, takes values of one's own, and is valid", async () => {
  await using tool = await newTool();
  const help = (await tool.run(["init", "--help"])).stdout;
  for (const template of templates) {
    expect(help).toMatch(new RegExp(`^  ${template} `, "m"));
    const file = `${template}.yaml`;
    const values = [
      "--name",
      "web",
      "--bucket",
      "acme-images",
      "--region",
      "eu-west-1",
      "--region",
      "us-west-2",
    ];
    expect((await tool.run(["init", file, "--template", template, ...values])).code).toBe(0);
    const { code, stdout } = await tool.run(["validate", file]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("2 images")]);
    const text = await readFile(tool.path(file), "utf8");
    expect(text).toMatch(/^# yaml-language-server: .*^name: web$.*^ {2}bucket: acme-images/ms);
  }
}, 120_000);

test("a file is never overwritten, and a folder that is not there is told", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("image.yaml"), "mine");
  const again = await tool.run(["init"]);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("image.yaml exists already")]);
  expect(await readFile(tool.path("image.yaml"), "utf8")).toBe("mine");
  const lost = await tool.run(["init", "no/where.yaml"]);
  expect([lost.code, lost.stderr]).toEqual([
    2,
    expect.stringContaining("is a folder that exists and is yours"),
  ]);
});

test.skipIf(!canType)("at a terminal it asks (where python3 is)", async () => {
  await using tool = await newTool();
  const dialog = typing(
    ["Template", "ubuntu\r"],
    ["Name", "web\r"],
    ["S3 bucket", "\r"],
    ["Regions", "eu-west-1, eu-central-1\r"],
  );
  const { code } = await tool.run(["init", "web.yaml"], dialog);
  expect(code).toBe(0);
  const text = await readFile(tool.path("web.yaml"), "utf8");
  expect(text).toContain("name: web\n");
  expect(text).toContain("bucket: my-images-$");
  expect(text).toMatch(/regions:\n {2}eu-west-1: \{\}\n {2}eu-central-1: \{\}/);
  const wrong = await tool.run(["init", "other.yaml"], typing(["Template", "9\r"]));
  expect([wrong.code, wrong.stdout]).toEqual([2, expect.stringContaining('there is no template "9"')]);
});
