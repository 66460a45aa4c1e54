import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EC2Client } from "@aws-sdk/client-ec2";
import { openEmulator } from "../../src/command/emulate.ts";
import type { Emulator } from "../../src/emulator/emulator.ts";
import type { Furniture } from "../../src/emulator/furnish.ts";
import { connect } from "../../src/machine/ssh.ts";
import { type LaunchedInstance, type LaunchInput, launch } from "../../src/stage/launch.ts";
import { account, toChecked } from "./stage-inputs.ts";
import { newStageRig, type StageRig } from "./stage-rig.ts";

/** One bucket and one source AMI. */
export const furniture: Furniture = {
  buckets: [{ name: "acme-images", region: "us-east-1" }],
  images: [
    {
      region: "us-east-1",
      id: null,
      name: "amzn-ami-pv-*-x86_64-s3",
      owner: "amazon",
      architecture: "x86_64",
      virtualization: "paravirtual",
    },
  ],
};

/** An emulator with real sandbox instances. */
export async function newSandboxCloud(): Promise<Emulator> {
  const directory = await mkdtemp(join(tmpdir(), "imgspec-sandbox-cloud-"));
  const emulator = await openEmulator(directory, 0);
  await emulator.furnish(furniture);
  return {
    ...emulator,
    [Symbol.asyncDispose]: async () => {
      await emulator[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A running instance, and what stages need around them to work on it. */
export type Builder = AsyncDisposable & {
  readonly emulator: Emulator;
  readonly rig: StageRig;
  readonly on: LaunchedInstance;
  /** Runs a command there as the user, or with sudo in it as root; fails unless it exits with 0. */
  sh(command: string): Promise<string>;
};

export async function newBuilder(secrets: Readonly<Record<string, string>> = {}): Promise<Builder> {
  const emulator = await newSandboxCloud();
  const rig = await newStageRig(emulator.cloud, secrets);
  const on = await rig.stage(launch, await toLaunch(rig));
  return {
    emulator,
    rig,
    on,
    sh: (command) => sh(on, rig, command),
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
      await emulator[Symbol.asyncDispose]();
    },
  };
}

/** A launch of the one source AMI. */
export async function toLaunch(rig: StageRig, change: Partial<LaunchInput> = {}): Promise<LaunchInput> {
  const query = { owners: ["amazon"], filters: { name: ["amzn-ami-*"] } };
  const [source] = await rig.cloud.account(account).findImages(query, AbortSignal.timeout(30_000));
  if (!source) throw new Error("there is no source AMI");
  return {
    account,
    checked: toChecked(source),
    name: "web",
    subnet: null,
    securityGroups: [],
    iamInstanceProfile: null,
    userData: null,
    metadataTokens: null,
    tags: { team: "web" },
    timeoutSeconds: 60,
    needs: null,
    connect: { user: "ec2-user", port: 22, address: "public", hostKey: "auto", timeoutSeconds: 30 },
    ...change,
  };
}

/** A client of the SDK for what the program itself has no words for. */
export function clientOf({ url: endpoint, cloud }: Emulator): EC2Client {
  const credentials = cloud.credentials ?? { accessKeyId: "", secretAccessKey: "" };
  return new EC2Client({ endpoint, region: account.region, credentials });
}

async function sh(on: LaunchedInstance, rig: StageRig, command: string): Promise<string> {
  const signal = AbortSignal.timeout(30_000);
  const address = { ...on, hostKeys: [on.hostKey], proxy: rig.cloud.options.networkProxy ?? null };
  await using machine = await connect(address, { signal, timeoutMs: 20_000 });
  const { code, stdout, stderr } = await machine.run(command, { signal });
  if (code === 0) return stdout;
  throw new Error(`${command}: exit ${code}: ${stderr}`);
}
