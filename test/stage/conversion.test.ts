import { expect, test } from "vitest";
import { type ConvertedImage, toConversion, type Wishes } from "../../src/stage/conversion.ts";

const image: ConvertedImage = {
  name: "web",
  description: "the web server",
  sizeBytes: 10 * 1024 ** 3,
  architecture: "x86_64",
  virtualization: "hvm",
  kernel: null,
  ramdisk: null,
  rootDevice: "/dev/sda1",
  blockDeviceMappings: [
    { virtual: "ami", device: "/dev/sda1" },
    { virtual: "ephemeral0", device: "/dev/sdb" },
  ],
  enaSupport: true,
  sriovNetSupport: true,
  imdsV2: false,
  tags: { team: "web", "imgspec:run": "r1", "aws:cloudformation:stack-name": "s" },
};
const wishes: Wishes = { volumeType: "gp3", tags: { kind: "ebs" } };
const paravirtual = { ...image, virtualization: "paravirtual", kernel: "aki-919dcaf8" };

test("an image is registered as the old one was, with tags that are its own", () => {
  expect(toConversion(image, true, wishes)).toEqual({
    volumeSizeGiB: 10,
    image: {
      name: "web-ebs",
      description: "the web server",
      architecture: "x86_64",
      virtualization: "hvm",
      kernel: null,
      ramdisk: null,
      blockDeviceMappings: [{ virtual: "ephemeral0", device: "/dev/sdb" }],
      tags: { team: "web", kind: "ebs" },
      root: { device: "/dev/sda1", sizeGiB: null, type: "gp3" },
      enaSupport: true,
      sriovNetSupport: true,
      imdsV2: false,
    },
  });
  const other = { ...wishes, name: "new", description: "d", volumeSizeGiB: 20, ena: true };
  const { image: asked } = toConversion({ ...image, sizeBytes: 1, enaSupport: false }, true, other);
  expect([asked.name, asked.description, asked.root.sizeGiB, asked.enaSupport]).toEqual([
    "new",
    "d",
    20,
    true,
  ]);
});

test("a paravirtual image keeps its kernel and has no drivers for enhanced networking", () => {
  const { image: told } = toConversion(paravirtual, false, { ...wishes, ena: true });
  expect(told).toMatchObject({
    virtualization: "paravirtual",
    kernel: "aki-919dcaf8",
    enaSupport: false,
    sriovNetSupport: false,
  });
});

test("of a manifest, a bare file system with a kernel is taken for paravirtual, and all else for hvm", () => {
  const unsaid = { ...paravirtual, virtualization: null };
  expect(toConversion(unsaid, false, wishes).image.virtualization).toBe("paravirtual");
  expect(toConversion(unsaid, true, wishes).image).toMatchObject({ virtualization: "hvm", kernel: null });
});

test.each([
  ["a bare file system that no hvm instance boots", image, false, wishes, "not-convertible"],
  [
    "a paravirtual image without a kernel",
    { ...paravirtual, kernel: null },
    false,
    wishes,
    "not-convertible",
  ],
  ["a volume that is too small", image, true, { ...wishes, volumeSizeGiB: 9 }, "usage-wrong"],
  ["a name that EC2 refuses", image, true, { ...wishes, name: "web:1" }, "usage-wrong"],
] as const)("%s is refused before anything is created", (_what, source, isDisk, asked, code) => {
  expect(() => toConversion(source, isDisk, asked)).toThrow(
    expect.objectContaining({ code, hint: expect.any(String) }),
  );
});
