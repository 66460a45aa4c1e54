import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type AmiToolsInput, amiTools } from "../../src/stage/ami-tools.ts";
import { prepareAmiTools } from "../../src/stage/ami-tools-prepare.ts";
import type { LaunchedInstance } from "../../src/stage/launch.ts";
import { register } from "../../src/stage/register.ts";
import { verify } from "../../src/stage/verify.ts";
import { goldenPath } from "../bundle/golden.ts";
import { newStubTools, type StubTools } from "../help/ami-tools.ts";
import { bundleCommand, reached, toAmiToolsInput, uploadCommand } from "../help/ami-tools-input.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { haveSshd, type Sshd, startSshd } from "../help/sshd.ts";
import { account, certificate, toChecked, toImage } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const able = haveSshd && userInfo().uid === 0;

describe.skipIf(!able)("Amazon's tools on a machine (skipped without root and sshd)", () => {
  let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
  let tools: StubTools;
  let sshd: Sshd;
  let rig: StageRig;
  let on: LaunchedInstance;
  let count = 0;

  beforeAll(async () => {
    cloud = await startEmulatedCloud();
    await createBucket(cloud, "acme-images", "us-east-1");
    tools = await newStubTools();
    sshd = await startSshd([`SetEnv EC2_AMITOOL_HOME=${tools.home}`]);
  });
  afterAll(async () => {
    await sshd[Symbol.asyncDispose]();
    await tools[Symbol.asyncDispose]();
    await cloud[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await tools.behave();
    const { networkProxy: _, ...options } = cloud.options;
    rig = await newStageRig(options);
    on = { ...sshd.address, account, instanceId: "i-1", instanceType: "m3.medium", ...reached(sshd) };
    count += 1;
    return () => rig[Symbol.asyncDispose]();
  });

  test("make a bundle that is verified, registered and opened by EC2", async () => {
    const uploaded = await rig.stage(amiTools, toInput());
    const verified = await rig.stage(verify, { uploaded });
    const registered = await rig.stage(register, {
      bundle: uploaded,
      verified,
      name: `web ${count}`,
      description: null,
      tags: {},
      regionalKey: "commercial",
      enaSupport: null,
      sriovNetSupport: null,
      metadataTokens: null,
      checked: toChecked(toImage()),
      products: [`us-east-1/${amiTools.kind}`, `us-east-1/${register.kind}`],
    });
    expect(registered.location).toBe(`acme-images/web/${count}/image.manifest.xml`);
    expect(uploaded).toMatchObject({ ec2Key: "commercial", sizeBytes: 200000 });
    expect(rig.changes.map(({ change, kind }) => `${change} ${kind}`)).toEqual([
      ...["acquired s3.bundle", "acquired ec2.image", "kept s3.bundle", "kept ec2.image"],
    ]);
  });

  test("are called with arguments of which none is a secret but the one that they force", async () => {
    await rig.stage(
      amiTools,
      toInput({ exclude: ["/var/a b", "/srv/$HOME"], sizeMib: 2048, partition: "none" }),
    );
    const bundling = await tools.argumentsOf("bundle");
    const [keys = ""] = /(?:\/dev\/shm|\/run)\/imgspec-ami-tools-\w+/.exec(bundling.join("\n")) ?? [];
    const directory = bundling[bundling.indexOf("--destination") + 1] ?? "";
    expect(directory.split("/").at(-1)).toBe(keys.split("/").at(-1));
    expect(bundling).toEqual([
      ...[
        "--cert",
        `${keys}/cert.pem`,
        "--privatekey",
        `${keys}/pk.pem`,
        "--ec2cert",
        `${keys}/cert-ec2.pem`,
      ],
      ...[
        "--user",
        cloud.emulator.accountId,
        "--arch",
        "x86_64",
        "--destination",
        directory,
        "--prefix",
        "image",
      ],
      ...["--exclude", `${keys},${directory},/var/a b,/srv/$HOME`, "--batch", "--no-inherit"],
      ...["--size", "2048", "--partition", "none", "--kernel", "aki-919dcaf8"],
      ...["--block-device-mapping", "ephemeral0=/dev/sdb", "--no-filter"],
    ]);
    expect(await tools.argumentsOf("upload")).toEqual([
      ...["--bucket", `acme-images/web/${count}`, "--manifest", `${directory}/image.manifest.xml`],
      ...["--directory", directory, "--region", "us-east-1", "--acl", "aws-exec-read", "--batch", "--retry"],
      ...["--url", cloud.options.endpointUrl, "--access-key", cloud.options.credentials?.accessKeyId],
      ...["--secret-key", secret()],
    ]);
    const holders = (await tools.note("upload.processes"))
      .split("\n")
      .filter((line) => line.includes(secret()));
    expect(holders).toEqual([expect.stringMatching(/^\/bin\/sh \S+\/bin\/ec2-upload-bundle /)]);
    expect(await tools.note("bundle.processes")).not.toMatch(/PRIVATE KEY|imgspec-missing/);
    expect(rig.hidden).toEqual([secret()]);
  });

  test("print what they expose, and never the secrets themselves", async () => {
    const user = {
      certificate: goldenPath("keys/cert-user.pem"),
      privateKey: goldenPath("keys/pk-user.pem"),
    };
    await rig.stage(amiTools, toInput({ certificate: { ...certificate, user } }));
    const warnings = rig.lines.filter((line) => line.startsWith("warning: "));
    expect(warnings).toEqual([
      expect.stringContaining(`your X.509 private key ${user.privateKey} is on i-1`),
      expect.stringContaining("the bundle's AES key in the argument list"),
      expect.stringMatching(
        /the secret key of \w+ is in the process list of i-1 .*launch\.iamInstanceProfile/,
      ),
    ]);
    expect(rig.lines.join("\n")).not.toContain(secret());
    expect(rig.lines.join("\n")).not.toContain("PRIVATE KEY");
  });

  test("have their keys in files for root alone, on tmpfs, and leave nothing", async () => {
    await rig.stage(amiTools, toInput());
    expect(await tools.note("keys")).toMatch(/^600 \S+\/pk\.pem\n700 \S+\ntmpfs\n$/);
    expect(await traces()).toEqual([]);
  });

  test("leave nothing when bundling fails, and what they printed is told", async () => {
    await tools.misbehave("bundle-fails");
    await expect(rig.stage(amiTools, toInput())).rejects.toMatchObject({
      code: "bundle-invalid",
      message: "ec2-bundle-vol ended with exit code 1\n  ERROR: no space left on device",
    });
    expect(await tools.note("keys")).toContain("pk.pem");
    expect(await traces()).toEqual([]);
  });

  test("leave nothing when the run is stopped while they bundle", async () => {
    await tools.misbehave("bundle-hangs");
    const stop = new AbortController();
    const running = rig.stage(amiTools, toInput(), stop.signal);
    await expect.poll(() => rig.lines, { timeout: 20_000 }).toContain("copying");
    expect(await traces()).toHaveLength(2);
    stop.abort(new Error("Ctrl-C"));
    await expect(running).rejects.toThrow();
    await expect.poll(traces, { timeout: 10_000 }).toEqual([]);
  });

  test("that report an upload which S3 refused are not believed", async () => {
    await tools.misbehave("upload-lies");
    await expect(rig.stage(amiTools, toInput())).rejects.toMatchObject({
      code: "upload-failed",
      message: `ec2-upload-bundle ended as if all were well, and 2 of 2 objects are not in acme-images: web/${count}/image.part.0, web/${count}/image.manifest.xml`,
    });
    await rig.giveBack();
    expect(cloud.emulator.left().objects.filter((key) => key.includes(`web/${count}/`))).toEqual([]);
    expect(await traces()).toEqual([]);
  });

  test("wrap the key for EC2's own key, and those that take another one are found out by its length", async () => {
    const { networkProxy: _, ec2Certificates: __, ...options } = cloud.options;
    await using real = await newStageRig(options);
    expect(await real.stage(amiTools, toInput())).toMatchObject({ ec2Key: "commercial" });
    await tools.misbehave("other-key");
    await expect(real.stage(amiTools, toInput({ prefix: "other" }))).rejects.toMatchObject({
      code: "bundle-invalid",
      message:
        "ec2-bundle-vol has not wrapped the bundle for EC2's commercial key: its key is wrapped for a key of 2048 bits, and this one has 1024",
    });
    expect(cloud.emulator.left().objects.filter((key) => key.includes("other/"))).toEqual([]);
  });

  test("that are not there are named before anything else is done", async () => {
    const bare = await startSshd();
    try {
      const there = { ...on, ...bare.address, ...reached(bare) };
      const input = { on: there, installCommands: null, bundleCommand, uploadCommand, partition: null };
      await expect(rig.stage(prepareAmiTools, { ...input, install: "none" })).rejects.toMatchObject({
        code: "preflight-failed",
        message: "the instance lacks ec2-bundle-vol ec2-upload-bundle",
      });
      const commands = {
        ...input,
        install: "none",
        installCommands: "echo no such package; exit 1",
      } as const;
      await expect(rig.stage(prepareAmiTools, commands)).rejects.toMatchObject({
        code: "preflight-failed",
        message: "bundle.amiTools.installCommands failed\n  no such package",
      });
    } finally {
      await bare[Symbol.asyncDispose]();
    }
  });

  test("that are there are found and started", async () => {
    const input = { on, installCommands: null, bundleCommand, uploadCommand, partition: null } as const;
    expect(await rig.stage(prepareAmiTools, { ...input, install: "none" })).toEqual(on);
    expect(rig.lines).toContain("1.5.19 20071010");
  });

  /** What is left on this machine, which stands in for the instance: the directories of keys and image. */
  async function traces(): Promise<readonly string[]> {
    const given = await tools.argumentsOf("bundle");
    const after = (name: string): string => given[given.indexOf(name) + 1] ?? "";
    return [dirname(after("--privatekey")), after("--destination")].filter((path) => existsSync(path));
  }

  const secret = (): string => cloud.options.credentials?.secretAccessKey ?? "";

  const toInput = (change: Partial<AmiToolsInput> = {}): AmiToolsInput =>
    toAmiToolsInput({
      on,
      checked: { ...toChecked(toImage()), accountId: cloud.emulator.accountId },
      prefix: `web/${count}`,
      ...change,
    });
});
