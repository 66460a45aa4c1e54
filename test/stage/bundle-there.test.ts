import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openKey } from "../../src/bundle/open-key.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { type BundleInput, bundle } from "../../src/stage/bundle.ts";
import { upload } from "../../src/stage/upload.ts";
import { verify } from "../../src/stage/verify.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { type Builder, newBuilder } from "../help/stage-builder.ts";
import { account, certificate, toChecked, toCopy, toImage } from "../help/stage-inputs.ts";

const why = await whyNot();
const bucket = "acme-images";

describe.skipIf(why !== undefined)(`an instance (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let privateKey: string;
  let user: { certificate: string; privateKey: string };

  beforeAll(async () => {
    builder = await newBuilder();
    await builder.sh("sudo mkdir -p /srv/app; echo installed | sudo tee /srv/app/proof");
    // Random, so that there are several parts.
    await builder.sh("sudo dd if=/dev/urandom of=/srv/app/noise bs=1M count=21 2>/dev/null");
    const pair = await newUserCertificate();
    ({ privateKey } = pair);
    user = { certificate: at("cert.pem"), privateKey: at("pk.pem") };
    await writeFile(user.certificate, pair.certificate);
    await writeFile(user.privateKey, pair.privateKey);
  });
  afterAll(() => builder[Symbol.asyncDispose]());

  test("bundles itself into S3, and the bundle is complete and holds what one made here holds", async () => {
    const made = await builder.rig.stage(bundle, toInput("instance", "there"));
    expect(builder.rig.lines).toContainEqual(
      expect.stringMatching(/^bundling on the instance: .* reaches http/),
    );
    expect(made.isStored).toBe(true);
    expect(made.parts.length).toBeGreaterThan(2);
    expect(builder.rig.progress.at(-1)?.done).toBe(made.bundledSizeBytes);

    const uploaded = await builder.rig.stage(upload, { bundle: made, ...toUpload("there") });
    expect(await builder.rig.stage(verify, { uploaded })).toMatchObject({ verified: true });
    const image = await restore(made.manifestPath, "there");
    expect(
      createHash("sha256")
        .update(await readFile(image))
        .digest("hex"),
    ).toBe(made.imageSha256);
    expect(debugfs(image, "cat /srv/app/proof")).toBe("installed\n");
    expect((await readFile(image)).includes(builder.on.publicKey.split(" ")[1] ?? "no key")).toBe(false);
  });

  function toInput(where: BundleInput["at"], prefix: string): BundleInput {
    return {
      on: builder.on,
      checked: toChecked(toImage()),
      at: where,
      upload: { bucket, prefix, acl: "aws-exec-read" },
      name: "image",
      copy: toCopy(),
      compression: 1,
      certificate: { ...certificate, user },
      blockDeviceMappings: [],
    };
  }

  const toUpload = (prefix: string) => ({ bucket, prefix, acl: "aws-exec-read", concurrency: 2 });

  const at = (name: string): string => join(builder.rig.run.directory, name);

  async function restore(manifestPath: string, prefix: string): Promise<string> {
    const manifest = readManifest(await readFile(manifestPath, "utf8"));
    const signal = AbortSignal.timeout(60_000);
    const provider = builder.rig.cloud.account(account);
    const path = at(`${prefix}.img`);
    await writeImage(
      manifest,
      openKey(manifest.image, privateKey),
      ({ fileName }) => provider.getObject({ bucket, key: `${prefix}/${fileName}` }, signal),
      path,
      { signal },
    );
    return path;
  }
});

function debugfs(image: string, request: string): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/sbin:/usr/sbin` };
  return execFileSync("debugfs", ["-R", request, image], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env,
  });
}
