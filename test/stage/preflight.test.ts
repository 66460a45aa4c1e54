import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PutBucketOwnershipControlsCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { ec2PublicKey } from "../../src/bundle/ec2-keys.ts";
import { newUserCertificate } from "../../src/bundle/user-certificate.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import { Problem } from "../../src/problem.ts";
import { type PreflightInput, preflight } from "../../src/stage/preflight.ts";
import { toWay } from "../../src/stage/way.ts";
import { startEmulatedCloud } from "../help/clouds.ts";
import { certificate, toPreflight } from "../help/stage-inputs.ts";
import { newStageRig, type StageRig } from "../help/stage-rig.ts";

let cloud: Awaited<ReturnType<typeof startEmulatedCloud>>;
let emulator: Emulator;
let rig: StageRig;

beforeAll(async () => {
  cloud = await startEmulatedCloud();
  ({ emulator } = cloud);
  await emulator.furnish({
    buckets: [
      { name: "acme-images", region: "us-east-1" },
      { name: "acme-closed", region: "us-east-1" },
      { name: "acme-west", region: "us-west-2" },
    ],
    images: [
      {
        region: "us-east-1",
        id: null,
        name: "amzn-ami-pv-*-x86_64-s3",
        owner: "amazon",
        architecture: "x86_64",
        virtualization: "paravirtual",
      },
      {
        region: "us-east-1",
        id: "ami-0aaaaaaaaaaaaaaaa",
        name: "taken",
        owner: "self",
        architecture: "x86_64",
        virtualization: "hvm",
      },
    ],
  });
  await closeAcls("acme-closed");
});
afterAll(() => cloud[Symbol.asyncDispose]());
beforeEach(async () => {
  rig = await newStageRig(emulator.cloud);
  return () => rig[Symbol.asyncDispose]();
});

test("a preflight in order says who, from what and on which types, and creates nothing", async () => {
  const before = emulator.left();
  expect(await rig.stage(preflight, toPreflight({ instanceTypes: ["t3.micro", "m3.medium"] }))).toMatchObject(
    {
      accountId: emulator.accountId,
      source: { name: "amzn-ami-pv-2026.11-x86_64-s3" },
      instanceTypes: ["m3.medium"],
      architecture: "x86_64",
      virtualization: "paravirtual",
      kernel: expect.stringMatching(/^aki-/),
    },
  );
  expect(rig.lines).toContain("t3.micro left out: it cannot have an instance-store root");
  expect(emulator.left()).toEqual(before);
  expect(rig.changes).toEqual([]);
});

test("everything that is wrong is told at once, each with what to do", async () => {
  const problem = await refusal({
    source: { kind: "find", ...findNothing },
    instanceTypes: ["t3.micro", "m9.huge"],
    bucket: "acme-closed",
    imageName: "taken",
    certificate: { ...certificate, user: { certificate: "/no/cert.pem", privateKey: "/no/key.pem" } },
  });
  expect(problem.code).toBe("preflight-failed");
  const lines = problem.message.split("\n").filter((line) => line.startsWith("- "));
  expect(problem.message).toMatch(/^5 things are wrong:\n/);
  expect(lines).toEqual([
    expect.stringContaining("no AMI in us-east-1 is owned by amazon"),
    "- no instance type of the spec can run this image: t3.micro (it cannot have an instance-store root), m9.huge (us-east-1 does not offer it)",
    "- bucket acme-closed has ACLs switched off, so EC2 cannot be let in to the bundle (ACL aws-exec-read)",
    '- the name "taken" belongs to ami-0aaaaaaaaaaaaaaaa in us-east-1',
    "- cannot read /no/cert.pem: ENOENT",
  ]);
});

test("a bucket without ACLs is told with the very command that switches them on", async () => {
  expect(await refusal({ bucket: "acme-closed" })).toMatchObject({
    code: "bucket-unusable",
    hint: "aws s3api put-bucket-ownership-controls --bucket acme-closed --ownership-controls 'Rules=[{ObjectOwnership=BucketOwnerPreferred}]' --region us-east-1",
  });
});

test("a bucket in another region is told with where it is", async () => {
  expect(await refusal({ bucket: "acme-west" })).toMatchObject({
    code: "bucket-unusable",
    message: "bucket acme-west is in us-west-2; EC2 in us-east-1 reads bundles only from its own region",
  });
});

test("a bundle that is there already is not overwritten, since an image may need it", async () => {
  const where = { bucket: "acme-images", key: "web/old/image.manifest.xml" };
  const body = { bytes: Buffer.from("x"), sha1: "11f6ad8ec52a2984abaafd7c3b516503785c2072" };
  const put = { ...body, contentType: "application/xml", acl: "private" };
  await rig.cloud.account({ region: "us-east-1" }).putObject(where, put, AbortSignal.timeout(10_000));
  expect(await refusal({ prefix: "web/old" })).toMatchObject({
    code: "bucket-unusable",
    message: "there is a bundle at s3://acme-images/web/old/image.manifest.xml already",
  });
});

test("an instance type that does not run the image's architecture or virtualization is told why", async () => {
  const problem = await refusal({ instanceTypes: ["r3.large", "m3.medium"], architecture: "i386" });
  expect(problem.message).toContain("r3.large (it does not run i386)");
});

test("a certificate and a key that are not a pair are refused", async () => {
  const [one, other] = await Promise.all([newUserCertificate(), newUserCertificate()]);
  const user = {
    certificate: await write("cert.pem", one.certificate),
    privateKey: await write("pk.pem", other.privateKey),
  };
  expect(await refusal({ certificate: { ...certificate, user } })).toMatchObject({
    code: "certificate-unusable",
  });
});

test("an EC2 certificate of another region is refused, unless that is allowed", async () => {
  const path = await write("gov.pem", emulator.cloud.ec2Certificates?.gov ?? "");
  expect(await refusal({ certificate: { ...certificate, ec2: { path } } })).toMatchObject({
    code: "certificate-unusable",
    message: `${path} holds EC2's gov key, but this region's EC2 opens bundles with the commercial key`,
  });
  const allowed = { ...certificate, ec2: { path }, allowMismatch: true };
  await rig.stage(preflight, toPreflight({ certificate: allowed }));
  const unknown = await write("unknown.pem", ec2PublicKey("gov"));
  expect(await refusal({ certificate: { ...certificate, ec2: { path: unknown } } })).toMatchObject({
    message: expect.stringContaining("holds an unknown key"),
  });
});

test("a region without a known certificate asks for a path", async () => {
  expect(await refusal({ certificate: { ...certificate, regional: null } })).toMatchObject({
    code: "certificate-unusable",
    hint: "give the path of one in certificate.ec2",
  });
});

test("what logging in takes is looked at before anything is launched: keys, the agent, passwords", async () => {
  const { networkProxy: _, ...options } = emulator.cloud;
  await using direct = await newStageRig(options, { sudo: "two\nlines" });
  const open = await write("open.key", "no key");
  const locked = join(rig.run.directory, "locked.key");
  const privateKeyEncoding = {
    ...({ type: "pkcs1", format: "pem" } as const),
    ...{ cipher: "aes-128-cbc", passphrase: "a passphrase" },
  };
  const publicKeyEncoding = { type: "pkcs1", format: "pem" } as const;
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048, privateKeyEncoding, publicKeyEncoding });
  await writeFile(locked, pair.privateKey, { mode: 0o600 });
  vi.stubEnv("SSH_AUTH_SOCK", "");
  const bastion = { host: "bastion.example.com", port: 22, user: "builder", hostKey: "ssh-ed25519 AAAA" };
  const way = toWay({
    privateKey: open,
    sudoPassword: { $secret: "sudo" },
    bastions: [
      { ...bastion, privateKey: "/no/key" },
      { ...bastion, privateKey: locked },
      { ...bastion, privateKey: null },
    ],
  });
  const failing = direct.stage(preflight, toPreflight({ way })).catch((reason: unknown) => reason);
  const lines = String(await failing).split("\n");
  expect(lines.filter((line) => line.startsWith("- "))).toEqual([
    `- the private key ${open} can be read by others`,
    "- the private key /no/key cannot be read (ENOENT)",
    `- the private key ${locked} is locked by a passphrase`,
    "- connect wants the SSH agent, and SSH_AUTH_SOCK is not set",
    "- connect.sudoPassword is more than one line, which sudo cannot be told",
  ]);
  vi.stubEnv("SSH_AUTH_SOCK", "/no/agent");
  const agent = await refusal({ way: toWay({ agent: true }) });
  expect(agent).toMatchObject({ code: "connect-failed", message: "no SSH agent answers at /no/agent" });
  vi.unstubAllEnvs();
});

const findNothing = {
  name: "nobody-has-this",
  owners: ["amazon"],
  architecture: null,
  virtualization: null,
  newest: true,
  filters: {},
} as const;

async function refusal(change: Partial<PreflightInput>): Promise<Problem> {
  const error: unknown = await rig.stage(preflight, toPreflight(change)).catch((reason: unknown) => reason);
  if (error instanceof Problem) return error;
  throw new Error("the preflight found nothing wrong", { cause: error });
}

async function write(name: string, text: string): Promise<string> {
  const path = join(rig.run.directory, name);
  await writeFile(path, text);
  return path;
}

async function closeAcls(Bucket: string): Promise<void> {
  const { url: endpoint, cloud: options } = emulator;
  const credentials = options.credentials ?? { accessKeyId: "", secretAccessKey: "" };
  const s3 = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials });
  const OwnershipControls = { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" as const }] };
  await s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }));
  s3.destroy();
}
