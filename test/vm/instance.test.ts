import { createHash } from "node:crypto";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EC2Client } from "@aws-sdk/client-ec2";
import { expect, test } from "vitest";
import { toCloudOptions } from "../../src/command/options.ts";
import { newVmHost } from "../../src/emulator/vm/host.ts";
import { toHostKeys } from "../../src/machine/console-host-keys.ts";
import { launch } from "../emulator/launch.ts";
import { newCli } from "../help/cli.ts";
import { facts } from "../help/instance-facts.ts";
import { processesLike } from "../help/processes.ts";
import { debianDisk, type Layout, layouts } from "./layouts.ts";
import { whyNot } from "./needs.ts";
import { newVmRig } from "./rig.ts";

const reason = await whyNot();
const rootDevices: Readonly<Record<Layout, string>> = {
  none: "/dev/vda",
  mbr: "/dev/vda1",
  gpt: "/dev/vda1",
  uefi: "/dev/vda1",
};

test.for(layouts)(
  "VM-1 a disk of layout %s boots by its own kernel, takes key and user data, and is not written to",
  async (layout, context) => {
    if (reason !== undefined) return context.skip(reason);
    const disk = await debianDisk(layout);
    const before = await digestOf(disk);
    await using vm = await newVmRig(disk);
    await using instance = await vm.launch({
      userData: "#!/bin/sh\necho user data ran > /run/said\n",
      facts: { ...facts, virtualization: virtualizationOf(layout), metadataTokens: "required" },
    });
    const { stdout } = await instance.run(
      `cat /proc/1/comm; findmnt -no SOURCE /; findmnt -no SOURCE /mnt; sudo id -u; cat /run/said
      [ -d /sys/firmware/efi ] && echo by UEFI || echo not by UEFI`,
    );
    expect(stdout.trim().split("\n")).toEqual([
      "systemd",
      rootDevices[layout],
      "/dev/vdb",
      "0",
      "user data ran",
      layout === "uefi" ? "by UEFI" : "not by UEFI",
    ]);
    const { stdout: hostKey } = await instance.run("cat /etc/ssh/ssh_host_ed25519_key.pub");
    expect(toHostKeys(instance.guest.consoleOutput())).toEqual([hostKey.split(" ").slice(0, 2).join(" ")]);

    const instances = join(vm.directory, "vm/instances");
    expect(await readdir(instances)).toHaveLength(1);
    await instance.guest.stop();
    expect(await readdir(instances)).toEqual([]);
    expect(await processesLike(new RegExp(vm.directory))).toEqual([]);
    expect(await digestOf(disk)).toBe(before);
  },
);

test("VM-2 a disk that cannot boot as its image says does not start", async (context) => {
  if (reason !== undefined) return context.skip(reason);
  for (const [layout, virtualization] of [
    ["none", "hvm"],
    ["mbr", "paravirtual"],
  ] as const) {
    await using vm = await newVmRig(await debianDisk(layout));
    await expect(vm.launch({ facts: { ...facts, virtualization } })).rejects.toMatchObject({
      code: "bundle-invalid",
      message: expect.stringContaining(virtualization === "hvm" ? "bare file system" : "this is a disk"),
    });
    expect(await readdir(join(vm.directory, "vm/instances"))).toEqual([]);
  }
});

test("VM-3 no machine outlives an emulator that is killed, and the next removes its files", async (context) => {
  if (reason !== undefined) return context.skip(reason);
  const disk = await debianDisk("mbr");
  await using cli = await newCli("quickstart");
  const directory = join(cli.folder, "kept");
  const start = ["emulator", "start", "--dir", directory, "--instances", "vm", "--source-disk", disk];
  const { process: program, line } = await cli.start(/listens on/, ...start);
  const url = /http:\S+\d/.exec(line)?.[0] ?? "";
  const { credentials } = await toCloudOptions({ emulator: url });
  await launch(
    new EC2Client({ endpoint: url, region: "us-east-1", ...(credentials ? { credentials } : {}) }),
  );
  const machine = new RegExp(`^\\S*qemu.*${disk}`);
  expect(await processesLike(machine)).toHaveLength(1);
  program.kill("SIGKILL");
  while ((await processesLike(machine)).length > 0) await sleep(20);
  expect(await readdir(join(directory, "vm/instances"))).toHaveLength(1);
  await newVmHost({ directory, sourceDisk: disk }).check();
  expect(await readdir(join(directory, "vm/instances"))).toEqual([]);
});

function virtualizationOf(layout: Layout): "hvm" | "paravirtual" {
  return layout === "none" ? "paravirtual" : "hvm";
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash("sha1");
  const stream = createReadStream(path, { highWaterMark: 1 << 20 });
  stream.on("data", (chunk) => digest.update(chunk));
  await once(stream, "end");
  return digest.digest("hex");
}
