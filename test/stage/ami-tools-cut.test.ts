import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { amiTools } from "../../src/stage/ami-tools.ts";
import { prepareAmiTools } from "../../src/stage/ami-tools-prepare.ts";
import { verify } from "../../src/stage/verify.ts";
import { newStubTools } from "../help/ami-tools.ts";
import { bundleCommand, reached, toAmiToolsInput, uploadCommand } from "../help/ami-tools-input.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { startCuttingProxy } from "../help/cutting-proxy.ts";
import { haveSshd, startSshd } from "../help/sshd.ts";
import { account, toChecked, toImage } from "../help/stage-inputs.ts";
import { newStageRig } from "../help/stage-rig.ts";

test.skipIf(!haveSshd || userInfo().uid !== 0)(
  "Amazon's tools go on while the connection is cut, and leave nothing (skipped without root and sshd)",
  async () => {
    await using cloud = await startEmulatedCloud();
    await createBucket(cloud, "acme-images", "us-east-1");
    await using tools = await newStubTools();
    await using sshd = await startSshd([`SetEnv EC2_AMITOOL_HOME=${tools.home}`]);
    await using proxy = await startCuttingProxy(sshd.address.port);
    const { networkProxy: _, ...options } = cloud.options;
    await using rig = await newStageRig(options);
    const there = { ...sshd.address, port: proxy.port, ...reached(sshd) };
    const on = { ...there, account, instanceId: "i-1", instanceType: "m3.medium" };
    await tools.misbehave("bundle-waits");
    await tools.misbehave("upload-waits");

    const moments = ["1.5.19 20071010", "copying", "uploading"];
    const cutting = (task: string) => {
      const context = rig.context(task);
      const log = (line: string): void => {
        context.log(line);
        if (line !== moments[0]) return;
        moments.shift();
        proxy.cut();
      };
      return { ...context, log };
    };
    const commands = { install: "none", installCommands: null, bundleCommand, uploadCommand } as const;
    await prepareAmiTools.run({ on, ...commands, partition: null }, cutting("us-east-1/tools"));
    const checked = { ...toChecked(toImage()), accountId: cloud.emulator.accountId };
    const input = toAmiToolsInput({ on, checked, prefix: "web/cut" });
    const uploaded = await amiTools.run(input, cutting("us-east-1/bundle"));
    expect(moments).toEqual([]);
    expect(proxy.cuts).toBe(3);
    expect(rig.lines.filter((line) => /^(copying|uploading)$/.test(line))).toEqual(["copying", "uploading"]);
    await rig.stage(verify, { uploaded });

    const given = await tools.argumentsOf("bundle");
    const after = (name: string): string => given[given.indexOf(name) + 1] ?? "";
    expect([dirname(after("--privatekey")), after("--destination")].filter(existsSync)).toEqual([]);
    expect((await readdir("/dev/shm")).filter((name) => name.startsWith("imgspec-ami-tools"))).toEqual([]);
  },
  60_000,
);
