import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Image, Provider } from "../../src/aws/provider.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import type { CertificateVariant } from "../../src/util/region.ts";
import { clouds, type TestCloud } from "../help/clouds.ts";
import { uploaded } from "../help/registered-image.ts";

const signal = new AbortController().signal;

const regions: readonly { region: string; variant: CertificateVariant; other: CertificateVariant }[] = [
  { region: "us-east-1", variant: "commercial", other: "gov" },
  { region: "cn-north-1", variant: "cn-north-1", other: "commercial" },
  { region: "us-gov-west-1", variant: "gov", other: "cn-north-1" },
];

for (const { name, skipped, start } of clouds) {
  describe.skipIf(skipped)(name, () => {
    let cloud: TestCloud;
    beforeAll(async () => {
      cloud = await start();
    });
    afterAll(() => cloud[Symbol.asyncDispose]());

    test.each(regions)(
      "a bundle in $region is registered, found by its owner, and deregistered",
      async (it) => {
        const provider = toCloud(cloud.options).account({ region: it.region });
        const request = await uploaded(cloud, provider, it.variant, "web");
        const { id } = await provider.registerImage(request, signal);
        const own = { owners: ["self"], filters: { name: ["web"] } };
        expect((await provider.findImages(own, signal)).map((image) => image.id)).toEqual([id]);
        await provider.deregisterImage(id, signal);
        expect(await provider.findImages(own, signal)).toEqual([]);
        await provider.deregisterImage(id, signal);
      },
    );

    // moto reads no manifest, and keeps of an image only its name: these it cannot judge.
    test.skipIf(name !== "the emulator").each(regions)(
      "an image in $region is what was asked for, and asking again is no second image",
      async ({ region, variant }) => {
        const provider = toCloud(cloud.options).account({ region });
        const request = await uploaded(cloud, provider, variant, "again");
        const { id } = await provider.registerImage(request, signal);
        expect(await provider.registerImage(request, signal)).toEqual({ id });
        const image = await available(provider, id);
        expect(image).toMatchObject({
          name: "again",
          state: "available",
          architecture: "x86_64",
          virtualization: "hvm",
          rootDeviceType: "instance-store",
          location: request.location,
          blockDeviceMappings: [{ device: "/dev/sdb", virtual: "ephemeral0" }],
          tags: request.tags,
        });
        const others = { ...request, tags: { "imgspec:run": "another" } };
        await expect(provider.registerImage(others, signal)).rejects.toMatchObject({
          code: "name-taken",
          message: `there is already an image named "again" in ${region}: ${id}`,
        });
      },
    );

    test.skipIf(name !== "the emulator").each(regions)(
      "a bundle that $region cannot open, as it is wrapped for $other, is refused or fails",
      async ({ region, other }) => {
        const provider = toCloud(cloud.options).account({ region });
        const request = await uploaded(cloud, provider, other, `for-${other}`);
        const outcome = await provider.registerImage(request, signal).then(
          ({ id }) => available(provider, id).then(({ state }) => state),
          (error: { code?: string }) => error.code,
        );
        expect(["manifest-refused", "failed"]).toContain(outcome);
      },
    );
  });
}

/** The image once it is no longer pending; the test's own time limit ends the wait. */
async function available(provider: Provider, id: string): Promise<Image> {
  for (;;) {
    const [image] = await provider.findImages({ ids: [id] }, signal);
    if (image !== undefined && image.state !== "pending") return image;
    await sleep(20);
  }
}
