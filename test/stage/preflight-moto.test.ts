import { describe, expect, test } from "vitest";
import { preflight } from "../../src/stage/preflight.ts";
import { clouds, createBucket } from "../help/clouds.ts";
import { certificate, toPreflight } from "../help/stage-inputs.ts";
import { newStageRig } from "../help/stage-rig.ts";

const source = { kind: "image", image: "ami-0123456789abcdef1" } as const;

describe.each(clouds.filter(({ name }) => name.startsWith("moto")))("against $name", ({ skipped, start }) => {
  test.skipIf(skipped)("a preflight is in order, or tells all that is wrong at once", async () => {
    await using cloud = await start();
    await createBucket(cloud, "acme-images", "us-east-1");
    await createBucket(cloud, "acme-west", "us-west-2");
    await using rig = await newStageRig(cloud.options);
    const right = toPreflight({ source, instanceTypes: ["m3.medium", "m9.huge"] });
    expect(await rig.stage(preflight, right)).toMatchObject({
      source: { id: "ami-0123456789abcdef1" },
      instanceTypes: ["m3.medium"],
      virtualization: "hvm",
      kernel: null,
    });
    const wrong = toPreflight({
      source: { ...source, image: "ami-0bbbbbbbbbbbbbbbb" },
      instanceTypes: ["m9.huge"],
      bucket: "acme-west",
      certificate: { ...certificate, regional: null },
    });
    await expect(rig.stage(preflight, wrong)).rejects.toThrow(/^4 things are wrong:/);
  });
});
