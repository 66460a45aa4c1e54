import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { newCli } from "../help/cli.ts";

test.each(["web.json", "web.pkr.hcl"])("the spec imported from %s builds as it is", async (template) => {
  await using cli = await newCli("from-packer");
  const imported = await cli.run("import", "packer", template);
  expect(imported.stdout).toMatch(/^image\.yaml written; not carried over: \d\. Next:/);
  expect(imported.stderr).toContain(`${template}:`);
  expect(imported.stderr).toContain("account_id: the account is that of the credentials");
  expect(imported.code).toBe(0);

  const { code, stdout, stderr } = await cli.run("build", "image.yaml", "--emulate", "--try", "greet");
  expect(stderr).toBe("");
  expect(stdout).toContain("Hello from Packer");
  expect(code).toBe(0);
  const { outcome, images, leftBehind } = await cli.result();
  expect({ outcome, leftBehind }).toEqual({ outcome: "succeeded", leftBehind: [] });
  expect(images).toMatchObject([{ region: "us-east-1", upload: { bucket: "acme-images" } }]);
});

test("a file that is there is overwritten only by force", async () => {
  await using cli = await newCli("from-packer");
  await writeFile(join(cli.folder, "image.yaml"), "mine\n");
  const refused = await cli.run("import", "packer", "web.json");
  expect([refused.code, refused.stdout]).toEqual([2, ""]);
  expect(refused.stderr).toContain("image.yaml exists already");
  expect(await readFile(join(cli.folder, "image.yaml"), "utf8")).toBe("mine\n");
  expect((await cli.run("import", "packer", "web.json", "--force")).code).toBe(0);
});

test("what the spec still lacks is told in the end", async () => {
  await using cli = await newCli("from-packer");
  await rm(join(cli.folder, "motd"));
  const { code, stdout, stderr } = await cli.run("import", "packer", "web.json");
  expect(code).toBe(0);
  expect(stdout).toContain("It is not complete yet");
  expect(stderr).toContain("file-missing");
});

test("a directory of HCL2 files is one template, and a mistake in it has its place", async () => {
  await using cli = await newCli("from-packer");
  const text = await readFile(join(cli.folder, "web.pkr.hcl"), "utf8");
  const [variable = "", ...rest] = text.split("\nlocals");
  await mkdir(join(cli.folder, "packer"));
  await writeFile(join(cli.folder, "packer/variables.pkr.hcl"), variable);
  await writeFile(join(cli.folder, "packer/web.pkr.hcl"), ["", ...rest].join("\nlocals"));
  expect((await cli.run("import", "packer", "packer")).code).toBe(0);
  expect(await readFile(join(cli.folder, "image.yaml"), "utf8")).toContain("from: packer/motd");

  await writeFile(join(cli.folder, "packer/variables.pkr.hcl"), 'variable "x" {\n  default = [1\n');
  const wrong = await cli.run("import", "packer", "packer", "--force");
  expect(wrong.code).toBe(3);
  expect(wrong.stderr).toContain("packer/variables.pkr.hcl:3:1 template-invalid");
});

test("the spec imported from a manifest of bootstrap-vz asks for an AMI, and then builds", async () => {
  await using cli = await newCli("from-bootstrap-vz");
  const imported = await cli.run("import", "bootstrap-vz", "manifest.yml");
  expect([imported.code, imported.stdout]).toEqual([
    0,
    "image.yaml written; not carried over: 3. It is not complete yet:\n",
  ]);
  expect(imported.stderr).toContain("manifest.yml:10:3 not-carried-over");
  expect(imported.stderr).toContain('variable-missing the variable "sourceImage" is not set');

  const build = ["build", "image.yaml", "--emulate", "--var", "sourceImage=ami-0123456789abcdef0"];
  const { code, stdout } = await cli.run(...build, "--try", "cat /etc/motd && sudo cat /srv/app/made");
  expect(stdout).toContain("built of a manifest of bootstrap-vz");
  expect(stdout).toContain("made of a wheezy manifest");
  expect(code).toBe(0);
  expect((await cli.result()).images).toMatchObject([
    { region: "us-east-1", upload: { bucket: "acme-images" } },
  ]);
});

test("files of variables, and those that a directory has itself, are defaults in the spec", async () => {
  await using cli = await newCli("from-packer");
  await mkdir(join(cli.folder, "packer"));
  const text = await readFile(join(cli.folder, "web.pkr.hcl"), "utf8");
  await writeFile(join(cli.folder, "packer/web.pkr.hcl"), text);
  await writeFile(join(cli.folder, "packer/a.auto.pkrvars.hcl"), 'greeting = "Hello from a directory"\n');
  await cli.run("import", "packer", "packer");
  expect(await readFile(join(cli.folder, "image.yaml"), "utf8")).toContain("default: Hello from a directory");
  await writeFile(join(cli.folder, "own.pkrvars.json"), '{ "greeting": "Hello from a file" }');
  await cli.run("import", "packer", "packer", "--var-file", "own.pkrvars.json", "--force");
  expect(await readFile(join(cli.folder, "image.yaml"), "utf8")).toContain("default: Hello from a file");
});
