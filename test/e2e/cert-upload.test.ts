import { readFile, writeFile } from "node:fs/promises";
import { CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { beforeAll, describe, expect, test } from "vitest";
import { haveMoto, type Moto, startMoto } from "../help/moto.ts";
import { newTool } from "../help/tool.ts";

const env = { AWS_ACCESS_KEY_ID: "AKIAEXAMPLE", AWS_SECRET_ACCESS_KEY: "example", AWS_REGION: "us-east-1" };

describe.skipIf(!haveMoto)("signing certificates in IAM (where python3 has moto)", () => {
  let moto: Moto;

  beforeAll(async () => {
    moto = await startMoto();
    return () => moto[Symbol.asyncDispose]();
  });

  test("a certificate is uploaded, listed as people and scripts read it, and not uploaded twice", async () => {
    await using tool = await newTool();
    const user = await newUser("builder");
    expect(await tool.run(["cert", "list", ...user], { env })).toEqual({
      code: 0,
      stdout: "there are none\n",
      stderr: "",
    });
    const uploaded = await tool.run(["cert", "upload", "cert-user.pem", ...user], { env });
    expect([uploaded.code, uploaded.stderr]).toEqual([0, ""]);
    const [, id = ""] = /^IAM has it as (\w+) of user builder\n$/.exec(uploaded.stdout) ?? [];
    expect(id).toMatch(/^\w{20,}$/);

    const line = `${id} of user builder, active`;
    expect((await tool.run(["cert", "list", ...user], { env })).stdout).toBe(`${line}\n`);
    const listed = await tool.run(["cert", "list", ...user, "--output", "json"], { env });
    const certificate = await readFile(tool.path("cert-user.pem"), "utf8");
    expect(JSON.parse(listed.stdout)).toEqual([
      { id, user: "builder", isActive: true, certificate: expect.stringContaining(certificate.trim()) },
    ]);

    // The same certificate in another spelling of its file.
    await writeFile(tool.path("again.pem"), `${certificate.trim()}\n\n\n`);
    const again = await tool.run(["cert", "upload", "again.pem", ...user], { env });
    expect([again.code, again.stdout]).toEqual([0, `IAM had it already: ${line}\n`]);
    const asJson = await tool.run(["cert", "upload", "cert-user.pem", ...user, "--output", "json"], { env });
    expect(JSON.parse(asJson.stdout)).toMatchObject({ id, alreadyThere: true });
    expect((await tool.run(["cert", "list", ...user], { env })).stdout).toBe(`${line}\n`);
  });

  test("a file that is no certificate is refused with its name, and IAM is told of none", async () => {
    await using tool = await newTool();
    const user = await newUser("careless");
    await writeFile(tool.path("notes.txt"), "no certificate\n");
    for (const file of ["notes.txt", "nowhere.pem", "pk-user.pem"]) {
      const { code, stdout, stderr } = await tool.run(["cert", "upload", file, ...user], { env });
      expect([file, code, stdout]).toEqual([file, file === "nowhere.pem" ? 3 : 4, ""]);
      expect(stderr).toContain(file);
      expect(stderr).not.toContain("PRIVATE KEY");
    }
    expect((await tool.run(["cert", "list", ...user], { env })).stdout).toBe("there are none\n");
  });

  test("a user whom IAM does not know is told so, with what to do", async () => {
    await using tool = await newTool();
    const place = ["--user-name", "nobody", "--endpoint-url", moto.url];
    for (const command of [["list"], ["upload", "cert-user.pem"]]) {
      const { code, stderr } = await tool.run(["cert", ...command, ...place], { env });
      expect([code, stderr]).toEqual([4, expect.stringContaining("name an IAM user")]);
    }
  });

  /** The options that lead to a new user of moto's IAM. */
  async function newUser(name: string): Promise<readonly string[]> {
    const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };
    const iam = new IAMClient({ endpoint: moto.url, region: "us-east-1", credentials });
    await iam.send(new CreateUserCommand({ UserName: name }));
    return ["--user-name", name, "--endpoint-url", moto.url];
  }
});
