import { chmod, lstat, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { newTool } from "../help/tool.ts";

const untidy = "name:  web # what\nimgspec: 1\n";
const tidy = "imgspec: 1\nname: web # what\n";

test("explain tells what the schema says, and refuses a key that is not there with exit code 2", async () => {
  await using tool = await newTool();
  const text = await tool.run(["explain", "bundle.hygiene.logs"]);
  expect(text).toMatchObject({ code: 0, stderr: "" });
  expect(text.stdout).toContain("values    scrub | refuse | keep\ndefault   keep\n");
  const json = await tool.run(["explain", "upload.acl", "--output", "json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({ default: "aws-exec-read" });
  const wrong = await tool.run(["explain", "bundle.hygeine"]);
  expect([wrong.code, wrong.stdout]).toEqual([2, ""]);
  expect(wrong.stderr).toContain("did you mean bundle.hygiene?");
});

test("fmt writes what is not in canonical form and names it; the mode of a file and a link stay", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("a.yaml"), untidy);
  await writeFile(tool.path("b.yaml"), tidy);
  await chmod(tool.path("a.yaml"), 0o640);
  await symlink("a.yaml", tool.path("link.yaml"));
  const { mtimeMs } = await stat(tool.path("b.yaml"));
  expect(await tool.run(["fmt", "link.yaml", "b.yaml"])).toEqual({
    code: 0,
    stdout: "link.yaml\n",
    stderr: "",
  });
  expect(await readFile(tool.path("a.yaml"), "utf8")).toBe(tidy);
  expect((await stat(tool.path("a.yaml"))).mode & 0o777).toBe(0o640);
  expect((await lstat(tool.path("link.yaml"))).isSymbolicLink()).toBe(true);
  expect((await stat(tool.path("b.yaml"))).mtimeMs).toBe(mtimeMs);
  expect(await tool.files()).toEqual(["a.yaml", "b.yaml", "link.yaml"]);
});

test("fmt --check lists files and ends with 1, --diff shows the change; neither writes", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("a.yaml"), untidy);
  await writeFile(tool.path("b.yaml"), tidy);
  expect(await tool.run(["fmt", "--check", "a.yaml", "b.yaml"])).toMatchObject({
    code: 1,
    stdout: "a.yaml\n",
  });
  expect(await tool.run(["fmt", "--check", "b.yaml"])).toMatchObject({ code: 0, stdout: "" });
  const { code, stdout } = await tool.run(["fmt", "--diff", "a.yaml", "b.yaml"]);
  expect([code, stdout]).toEqual([
    0,
    "--- a.yaml\n+++ a.yaml (formatted)\n@@ -1,2 +1,2 @@\n-name:  web # what\n imgspec: 1\n+name: web # what\n",
  ]);
  expect(await readFile(tool.path("a.yaml"), "utf8")).toBe(untidy);
});

test("fmt - formats from stdin to stdout", async () => {
  await using tool = await newTool();
  const ended = await tool.run(["fmt", "-"], { input: [Buffer.from(untidy.replaceAll("\n", "\r\n"))] });
  expect(ended).toEqual({ code: 0, stdout: tidy, stderr: "" });
});

test("fmt leaves a file with YAML mistakes as it is, tells where they are, and formats the others", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("a.yaml"), "name: web\nimgspec: [1\n");
  await writeFile(tool.path("b.yaml"), untidy);
  const { code, stdout, stderr } = await tool.run(["fmt", "a.yaml", "b.yaml"]);
  expect([code, stdout]).toEqual([3, "b.yaml\n"]);
  expect(stderr).toMatch(/a\.yaml:3:1 yaml-invalid[\s\S]*"a\.yaml" is left as it is/);
  expect(await readFile(tool.path("a.yaml"), "utf8")).toBe("name: web\nimgspec: [1\n");
});
