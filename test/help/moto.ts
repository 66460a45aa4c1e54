import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const startMs = 30_000;

/** Whether moto, an AWS by other hands, is installed (PyPI: moto[server]). */
export const haveMoto: boolean =
  spawnSync("python3", ["-c", "import moto.server"], { stdio: "ignore" }).status === 0;

export type Moto = AsyncDisposable & { readonly url: string };

/** The one AMI that there is in every region: reading moto's own list takes it seconds. */
const sourceImage = {
  ami_id: "ami-0123456789abcdef1",
  name: "amzn-ami-hvm-2018.03.0.20220802.0-x86_64-s3",
  description: "Amazon Linux AMI x86_64 S3",
  owner_id: "137112412989",
  public: true,
  state: "available",
  architecture: "x86_64",
  virtualization_type: "hvm",
  hypervisor: "xen",
  image_type: "machine",
  root_device_type: "instance-store",
  root_device_name: "/dev/sda1",
};

/** Moto on a free loopback port, empty, and strict about ids where it can be. */
export async function startMoto(): Promise<Moto> {
  const port = await freePort();
  const directory = await mkdtemp(join(tmpdir(), "imgspec-moto-"));
  await writeFile(join(directory, "amis.json"), JSON.stringify([sourceImage]));
  const child = spawn("python3", ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)], {
    stdio: "ignore",
    env: {
      ...process.env,
      MOTO_AMIS_PATH: join(directory, "amis.json"),
      MOTO_ENABLE_AMI_VALIDATION: "1",
      MOTO_ENABLE_KEYPAIR_VALIDATION: "1",
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await answering(url, child);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null) {
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      await rm(directory, { recursive: true });
    },
  };
}

async function answering(url: string, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + startMs;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`moto ended with code ${child.exitCode}`);
    const answer = await fetch(`${url}/moto-api/`).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer?.ok) return;
    await sleep(50);
  }
  child.kill("SIGKILL");
  throw new Error(`moto did not answer within ${startMs} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
