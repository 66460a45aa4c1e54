import { createPrivateKey } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { userPrivateKey } from "../bundle/golden.ts";
import { newTool } from "../help/tool.ts";
import { canType, typing } from "../help/typist.ts";

test("a pair is made, shown, and never overwritten by accident", async () => {
  await using tool = await newTool();
  const create = ["cert", "create", "--bits", "3072", "--days", "10", "--common-name", "acme"];
  expect((await tool.run(create)).code).toBe(0);
  expect(await tool.files()).toEqual(["cert.pem", "pk.pem"]);
  expect((await stat(tool.path("pk.pem"))).mode & 0o777).toBe(0o600);
  const key = await readFile(tool.path("pk.pem"), "utf8");

  const shown = await tool.run(["cert", "show", "cert.pem", "--privatekey", "pk.pem", "--output", "json"]);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    file: "cert.pem",
    certificate: { subject: "CN=acme" },
    bits: 3072,
    variant: null,
    isPair: true,
  });
  expect((await tool.run(["cert", "show", "cert.pem"])).stdout).toContain("RSA, 3072 bits");

  const again = await tool.run(create);
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("cert.pem exists already")]);
  expect(await readFile(tool.path("pk.pem"), "utf8")).toBe(key);
  expect((await tool.run([...create, "--force"])).code).toBe(0);
  expect(await readFile(tool.path("pk.pem"), "utf8")).not.toBe(key);
  expect((await stat(tool.path("pk.pem"))).mode & 0o777).toBe(0o600);
});

test("a key whose certificate cannot be written is not left", async () => {
  await using tool = await newTool();
  const { code } = await tool.run(["cert", "create", "--out-cert", "none/cert.pem"]);
  expect([code, await tool.files()]).toEqual([3, []]);
});

test("EC2's key is known again, and one of another private key is said to be so", async () => {
  await using tool = await newTool();
  await writeFile(tool.path("gov.pem"), ec2PublicKey("gov"));
  const { code, stdout } = await tool.run(["cert", "show", "gov.pem", "-k", "pk-user.pem"]);
  expect(code).toBe(4);
  expect(stdout).toMatch(/^EC2 +EC2's gov key$/m);
  expect(stdout).toMatch(/^pair +NOT of this private key$/m);
});

test("an encrypted key is opened by a file or the environment, and without them a script is told how", async () => {
  await using tool = await newTool();
  await tool.copy("ruby153/small/small.img.manifest.xml");
  await writeFile(tool.path("encrypted.pem"), encrypted("correct horse"));
  await writeFile(tool.path("passphrase"), "correct horse\n");
  const line = ["verify", "small.img.manifest.xml", "--privatekey", "encrypted.pem"];
  expect((await tool.run([...line, "--passphrase-file", "passphrase"])).code).toBe(0);
  expect((await tool.run(line, { env: { IMGSPEC_PASSPHRASE: "correct horse" } })).code).toBe(0);
  const wrong = await tool.run(line, { env: { IMGSPEC_PASSPHRASE: "battery staple" } });
  expect([wrong.code, wrong.stderr]).toEqual([
    4,
    expect.stringContaining("does not decrypt with this passphrase"),
  ]);
  expect(wrong.stderr).not.toContain("battery");
  const nobody = await tool.run(line);
  expect(nobody.code).toBe(2);
  expect(nobody.stderr).toContain("--passphrase-file PATH or in IMGSPEC_PASSPHRASE");
});

test.skipIf(!canType)(
  "the passphrase is asked for on a terminal and not shown (where python3 is)",
  async () => {
    await using tool = await newTool();
    await tool.copy("ruby153/small/small.img.manifest.xml");
    await writeFile(tool.path("encrypted.pem"), encrypted("correct horse"));
    const line = ["verify", "small.img.manifest.xml", "--privatekey", "encrypted.pem"];
    const type = (text: string): ReturnType<typeof tool.run> =>
      tool.run(line, typing(["Passphrase of", text]));
    const typed = await type("correct hoz\x7frse\r");
    expect([typed.code, typed.stdout]).toEqual([
      0,
      expect.stringContaining("the private key opens the bundle"),
    ]);
    expect(typed.stdout).not.toContain("horse");
    expect(typed.stdout).not.toContain("correct");
    expect((await type("corr\x03")).code).toBe(130);
  },
);

function encrypted(passphrase: string): string {
  return createPrivateKey(userPrivateKey)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase })
    .toString();
}
