import { readdir, readFile, writeFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { newStubTools, type StubTools } from "../help/ami-tools.ts";
import { newCli } from "../help/cli.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { startSshdCloud } from "../help/sshd-instances.ts";

const able = haveSshd && userInfo().uid === 0;

describe.skipIf(!able)("a build with Amazon's tools (skipped without root and sshd)", () => {
  let tools: StubTools;
  let sshd: Sshd;
  let cloud: Emulator;

  beforeAll(async () => {
    tools = await newStubTools();
    sshd = await startSshd([`SetEnv EC2_AMITOOL_HOME=${tools.home}`]);
    cloud = await startSshdCloud(sshd);
    await cloud.furnish({
      buckets: [{ name: "acme-images", region: "us-east-1" }],
      images: [
        {
          region: "us-east-1",
          id: "ami-0123456789abcdef0",
          name: "source",
          owner: "amazon",
          architecture: "x86_64",
          virtualization: "paravirtual",
        },
      ],
    });
  });
  afterAll(async () => {
    await cloud[Symbol.asyncDispose]();
    await sshd[Symbol.asyncDispose]();
    await tools[Symbol.asyncDispose]();
  });

  test("registers an image, warns, and keeps the secret key out of everything but the one argument list", async () => {
    await using cli = await newCli("quickstart");
    await writeFile(join(cli.folder, "image.yaml"), spec);
    const { code, stdout, stderr } = await cli.run("build", "image.yaml", "--emulator", cloud.url);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(
      /warning: ec2-upload-bundle takes AWS keys as arguments: the secret key of \w+ is in/,
    );
    const { images } = await cli.result();
    expect(images).toMatchObject([
      {
        imageId: expect.stringMatching(/^ami-/),
        bundle: { name: "image", ec2Key: "commercial", partCount: 1 },
        upload: { bucket: "acme-images", manifestKey: expect.stringMatching(/image\.manifest\.xml$/) },
      },
    ]);
    expect(cloud.left().images).toEqual([images[0]?.imageId]);
    expect(await tools.argumentsOf("upload")).toContain(secret());
    expect(`${stdout}${await textsIn(cli.folder)}`).not.toContain(secret());
  });

  test("whose bundling fails ends with 6, shows what the tool said, and leaves nothing", async () => {
    await using cli = await newCli("quickstart");
    await writeFile(join(cli.folder, "image.yaml"), spec);
    await tools.misbehave("upload-lies");
    const before = cloud.left();
    const { code, stdout } = await cli.run("build", "image.yaml", "--emulator", cloud.url);
    await tools.behave();
    expect(stdout).toContain(
      "ec2-upload-bundle ended as if all were well, and 2 of 2 objects are not in acme-images",
    );
    expect(code).toBe(6);
    expect(cloud.left()).toEqual(before);
    expect((await cli.result()).leftBehind).toEqual([]);
  });

  const secret = (): string => cloud.cloud.credentials?.secretAccessKey ?? "";
});

const spec = `imgspec: 1
name: web
source: { image: ami-0123456789abcdef0 }
launch: { instanceTypes: [m3.medium] }
connect: { user: root }
provision:
  - shell: { inline: echo provisioned }
bundle: { method: ami-tools, partition: none, amiTools: { install: none } }
upload: { bucket: acme-images }
verify: { console: "login:" }
regions: { us-east-1: {} }
`;

/** Journals, results and whatever else a run has written. */
async function textsIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), "utf8")));
  return texts.join("\n");
}
