import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { partsIn } from "../../src/bundle/part-source.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { unwrapKey } from "../../src/bundle/wrap.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { type Bundle, type BundleInput, bundle } from "../../src/stage/bundle.ts";
import { release } from "../../src/stage/release.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";
import { certificate, toChecked, toCopy, toImage } from "../help/stage-inputs.ts";

const why = await whyNot();

describe.skipIf(why !== undefined)(`a bundle (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let made: Bundle;
  let privateKey: string;
  let ec2PrivateKey: string;
  let image: string;

  beforeAll(async () => {
    builder = await newBuilder();
    await builder.sh("sudo mkdir -p /srv/app; echo installed | sudo tee /srv/app/proof; echo x > /tmp/left");
    const [user, ec2] = await Promise.all([newUserCertificate(), newUserCertificate()]);
    await builder.sh(`echo '${ec2.privateKey}' | sudo tee /srv/app/tls`);
    await builder.sh("echo history-canary | sudo tee /root/.bash_history");
    ({ privateKey } = user);
    ec2PrivateKey = ec2.privateKey;
    const place = (name: string): string => join(builder.rig.run.directory, name);
    await writeFile(place("cert.pem"), user.certificate);
    await writeFile(place("ec2.pem"), ec2.certificate);
    await writeFile(place("pk.pem"), user.privateKey);
    const pair = { certificate: place("cert.pem"), privateKey: place("pk.pem") };
    const keys = { ...certificate, ec2: { path: place("ec2.pem") }, regional: null, user: pair };
    await writeFile(place("seal.sh"), `#!/bin/sh\necho by the script >"$1/etc/sealed"\n`);
    const copy = toCopy({ allow: ["/srv/app/*"], script: { path: place("seal.sh"), contents: "" } });
    made = await builder.rig.stage(bundle, toInput({ certificate: keys, copy }));
    image = place("restored.img");
    await restore(place("parts"));
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  test("opens with the user's key, and is the image whose digests were told", async () => {
    expect(made).toMatchObject({
      name: "image",
      ec2Key: expect.stringMatching(/ec2\.pem$/),
      architecture: "x86_64",
      kernel: "aki-919dcaf8",
    });
    const digest = execFileSync("sha256sum", [image], { encoding: "utf8" });
    expect(digest.split(" ")[0]).toBe(made.imageSha256);
    expect(made.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(made.bundledSizeBytes);
    expect(builder.rig.progress.at(-1)).toEqual({ done: made.sizeBytes, total: made.sizeBytes });
  });

  test("holds what was provisioned, and not what was left out", () => {
    expect(debugfs("cat /srv/app/proof")).toBe("installed\n");
    expect(debugfs("ls -p /tmp")).not.toContain("left");
    expect(debugfs("ls -p /srv/app")).toContain("proof");
  });

  test("tells what was left out of it, and what of it people should know", async () => {
    expect(made.hygiene).toEqual(
      expect.arrayContaining([
        { class: "shellHistories", path: "/root/.bash_history", action: "scrubbed" },
        { class: "privateKeys", path: "/srv/app/tls", action: "kept" },
      ]),
    );
    expect((await readFile(image)).includes("history-canary")).toBe(false);
    expect(debugfs("cat /srv/app/tls")).toContain("PRIVATE KEY");
    expect(debugfs("cat /etc/sealed")).toBe("by the script\n");
    await expect(builder.sh("cat /etc/sealed")).rejects.toThrow();
  });

  test("is not begun while a private key is in it that nobody allowed", async () => {
    const failing = builder.rig.stage(bundle, toInput({}));
    await expect(failing).rejects.toMatchObject({
      code: "bundle-invalid",
      message: expect.stringContaining("\n  privateKeys: /srv/app/tls"),
      hint: expect.stringContaining("bundle.hygiene.allow"),
    });
  });

  test("lets nobody in with the key of the build", async () => {
    expect(await builder.sh("cat ~/.ssh/authorized_keys")).toContain(keyBlob());
    const bytes = await readFile(image);
    expect(bytes.length).toBe(made.sizeBytes);
    expect(bytes.includes(keyBlob())).toBe(false);
  });

  test("opens with EC2's key as with the user's", async () => {
    const { image: bundled } = readManifest(await readFile(made.manifestPath, "utf8"));
    expect(bundled).toMatchObject({ name: "image", digest: made.digest, user: "123456789012" });
    const [forEc2, forUser] = [unwrapKey(bundled.ec2, ec2PrivateKey), unwrapKey(bundled.owner, privateKey)];
    expect(forEc2.keyHex()).toBe(forUser.keyHex());
  });

  test("goes with the run, the instance already before it", async () => {
    const task = `us-east-1/launch.ec2`;
    await builder.rig.stage(release, { on: builder.on, after: made, of: [task] });
    expect(builder.emulator.left()).toMatchObject({ instances: [], keyPairs: [], securityGroups: [] });
    expect(builder.rig.changes.filter(({ change }) => change === "released").map(({ kind }) => kind)).toEqual(
      ["ec2.instance", "ec2.security-group", "ec2.key-pair", "local.key-file"],
    );
    await builder.rig.giveBack();
    await expect(readFile(made.manifestPath)).rejects.toMatchObject({ code: "ENOENT" });
  });

  function toInput(change: Partial<BundleInput>): BundleInput {
    return {
      on: builder.on,
      checked: toChecked(toImage()),
      at: "builder",
      upload: { bucket: "acme-images", prefix: "web/1", acl: "aws-exec-read" },
      name: "image",
      copy: toCopy(),
      compression: 1,
      certificate,
      blockDeviceMappings: [],
      ...change,
    };
  }

  async function restore(directory: string): Promise<void> {
    await mkdir(directory);
    for (const { path, name } of made.parts) await copyFile(path ?? "", join(directory, name));
    const manifest = readManifest(await readFile(made.manifestPath, "utf8"));
    const key = unwrapKey(manifest.image.owner, privateKey);
    await writeImage(manifest, key, partsIn(directory), image, { signal: AbortSignal.timeout(60_000) });
  }

  function debugfs(request: string): string {
    const stdio: ["ignore", "pipe", "ignore"] = ["ignore", "pipe", "ignore"];
    const env = { ...process.env, PATH: `${process.env["PATH"]}:/sbin:/usr/sbin` };
    return execFileSync("debugfs", ["-R", request, image], { encoding: "utf8", stdio, env });
  }

  function keyBlob(): string {
    return builder.on.publicKey.split(" ")[1] ?? "no key";
  }
});
