import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openKey } from "../../src/bundle/open-key.ts";
import { readManifest } from "../../src/bundle/read-manifest.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import { writeImage } from "../../src/bundle/write-image.ts";
import { runHeld } from "../../src/machine/held-command.ts";
import { removeDirectory, survey } from "../../src/machine/survey.ts";
import { Problem } from "../../src/problem.ts";
import { type BundleInput, bundle } from "../../src/stage/bundle.ts";
import { type LaunchedInstance, launch } from "../../src/stage/launch.ts";
import { hold } from "../../src/stage/trust.ts";
import { upload } from "../../src/stage/upload.ts";
import { verify } from "../../src/stage/verify.ts";
import { whyNot } from "../emulator/sandbox/rig.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { type Builder, newBuilder, newSandboxCloud, toLaunch } from "../help/stage-builder.ts";
import { account, certificate, toChecked, toCopy, toImage } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

const why = await whyNot();
// Each makes an image, of which there are two dozen megabytes.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const bucket = "acme-images";
const acl = "aws-exec-read";

describe.skipIf(why !== undefined)(`an instance (skipped where there is no sandbox: ${why})`, () => {
  let builder: Builder;
  let privateKey: string;
  let user: { certificate: string; privateKey: string };

  beforeAll(async () => {
    builder = await newBuilder();
    await builder.sh("sudo mkdir -p /srv/app; echo installed | sudo tee /srv/app/proof");
    await addNoise(builder.on, builder.rig);
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

    const uploaded = await builder.rig.stage(upload, {
      bundle: made,
      bucket,
      prefix: "there",
      acl,
      concurrency: 2,
    });
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

  test("does not overwrite the bundle of somebody else", async () => {
    const provider = builder.rig.cloud.account(account);
    const [where, bytes] = [{ bucket, key: "taken/image.manifest.xml" }, Buffer.from("of another build")];
    const sha1 = createHash("sha1").update(bytes).digest("hex");
    const body = { bytes, sha1, contentType: "application/xml", acl: "aws-exec-read" };
    await provider.putObject(where, body, AbortSignal.timeout(10_000));
    const making = builder.rig.stage(bundle, toInput("instance", "taken"));
    await expect(making).rejects.toMatchObject({ code: "bucket-unusable" });
    const there = builder.emulator.left().objects.filter((name) => name.includes("/taken/"));
    expect(there).toEqual([`${bucket}/taken/image.manifest.xml`]);
  });

  test.each([
    ["curl", "instance", "bundling on this machine although bundle.at is instance: the instance lacks curl"],
    ["openssl", "auto", "bundling on this machine: the instance lacks openssl"],
  ] as const)(
    "without %s is bundled on the builder when %s is wanted, which is said",
    async (tool, where, line) => {
      await builder.sh(`sudo mv /usr/bin/${tool} /usr/bin/${tool}.away`);
      const made = await builder.rig.stage(bundle, toInput(where, tool));
      await builder.sh(`sudo mv /usr/bin/${tool}.away /usr/bin/${tool}`);
      expect(builder.rig.lines).toContainEqual(expect.stringContaining(line));
      expect(made.isStored).toBe(false);
      expect(made.parts.every(({ path }) => path !== null)).toBe(true);
    },
  );

  test("that does not reach S3 is told, with what curl says", async () => {
    await using held = hold(builder.on, builder.rig.context("us-east-1/bundle"));
    const signal = AbortSignal.timeout(30_000);
    const seen = await survey(held, { level: 5, url: "http://127.0.0.1:9/", sudo: true, signal });
    await removeDirectory(held, seen.directory ?? "");
    expect(seen).toMatchObject({ lacks: [], unreachable: expect.stringMatching(/^curl: \(7\)/) });
    expect(Math.abs(seen.aheadSeconds)).toBeLessThan(30);
  });

  test("keeps nothing of it in its memory", async () => {
    expect(await builder.sh("ls -A /dev/shm /run | grep imgspec || echo none")).toBe("none\n");
  });

  // The last, since with what it holds goes the instance.
  test("that is stopped in the middle leaves no object, not even a late one", async () => {
    const stop = new AbortController();
    builder.emulator.fail("PutObject", "slow:1500", { times: 100 });
    const before = builder.emulator.calls("PutObject");
    const making = builder.rig.stage(bundle, toInput("instance", "stopped"), stop.signal);
    making.catch(() => undefined);
    // The claim, and then two parts on their way.
    while (builder.emulator.calls("PutObject") < before + 3) await sleep(20);
    stop.abort(new Problem("interrupted", "SIGINT"));
    await expect(making).rejects.toThrow("SIGINT");
    expect(await builder.rig.giveBack()).toEqual([]);
    await sleep(2000);
    const { instances, objects } = builder.emulator.left();
    expect(instances).toEqual([]);
    expect(objects.filter((name) => name.includes("/stopped/"))).toEqual([]);
  });

  const toInput = (where: BundleInput["at"], prefix: string): BundleInput => ({
    ...toBundle(builder.on, where, prefix),
    certificate: { ...certificate, user },
  });

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

describe.skipIf(why !== undefined)(
  `a connection that is lost (skipped where there is no sandbox: ${why})`,
  () => {
    test.each([
      ["instance", 5, "logging in again"],
      ["builder", 1, "streaming the root again from the start"],
    ] as const)("does not end a bundle that is made on the %s", async (where, count, line) => {
      await using emulator = await newSandboxCloud();
      await using proxy = await startCuttingProxy(Number(new URL(emulator.url).port));
      await using rig = await newStageRig({
        ...emulator.cloud,
        networkProxy: `http://127.0.0.1:${proxy.port}`,
      });
      const on = await rig.stage(launch, await toLaunch(rig));
      await addNoise(on, rig);
      emulator.fail("PutObject", "slow:700", { times: 100 });
      const began = proxy.cuts;
      let over = false;
      const making = rig.stage(bundle, toBundle(on, where, "cut")).finally(() => {
        over = true;
      });
      while (!over && proxy.cuts < began + count) {
        await sleep(where === "builder" ? 20 : 400);
        if (where === "instance" || rig.progress.some(({ done }) => done > 0)) proxy.cut();
      }
      const made = await making;
      expect(proxy.cuts - began).toBeGreaterThanOrEqual(count);
      expect(rig.lines).toContainEqual(expect.stringContaining(line));
      const uploaded = await rig.stage(upload, { bundle: made, bucket, prefix: "cut", acl, concurrency: 2 });
      expect(await rig.stage(verify, { uploaded })).toMatchObject({ verified: true });
    });
  },
);

test.skipIf(why !== undefined)(
  "an instance that dies in the middle is told, and leaves nothing",
  async () => {
    await using emulator = await newSandboxCloud();
    await using rig = await newStageRig(emulator.cloud);
    const input = await toLaunch(rig);
    const on = await rig.stage(launch, { ...input, connect: { ...input.connect, timeoutSeconds: 3 } });
    await addNoise(on, rig);
    emulator.fail("PutObject", "slow:3000", { times: 100 });
    const making = rig.stage(bundle, toBundle(on, "instance", "dead"));
    making.catch(() => undefined);
    while (emulator.calls("PutObject") < 2) await sleep(20);
    await rig.cloud.account(account).terminateInstance(on.instanceId, AbortSignal.timeout(20_000));
    await expect(making).rejects.toMatchObject({ code: expect.stringMatching(/^(connect-failed|timeout)$/) });
    expect(await rig.giveBack()).toEqual([]);
    expect(emulator.left().objects).toEqual([]);
  },
);

function toBundle(on: LaunchedInstance, where: BundleInput["at"], prefix: string): BundleInput {
  return {
    on,
    checked: toChecked(toImage()),
    at: where,
    upload: { bucket, prefix, acl },
    name: "image",
    // Nobody starts it, and without its programs it is quickly made.
    copy: toCopy({ exclude: ["/usr/**", "/tmp/**", "/proc/**", "/sys/**", "/dev/**", "/run/**"] }),
    compression: 1,
    certificate,
    blockDeviceMappings: [],
  };
}

/** Does not get smaller, so that there are several parts. */
async function addNoise(on: LaunchedInstance, rig: StageRig): Promise<void> {
  const signal = AbortSignal.timeout(30_000);
  await using held = hold(on, rig.context("us-east-1/noise"));
  const program = "mkdir -p /srv/app && dd if=/dev/urandom of=/srv/app/noise bs=1048576 count=21 2>/dev/null";
  await runHeld(held, { program, sudo: true, signal });
}

function debugfs(image: string, request: string): string {
  const env = { ...process.env, PATH: `${process.env["PATH"]}:/sbin:/usr/sbin` };
  return execFileSync("debugfs", ["-R", request, image], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    env,
  });
}
