import { expect, test } from "vitest";
import { sourceDiskOf } from "../../src/command/instance-options.ts";

test("a source disk goes with virtual machines, and virtual machines with a source disk", () => {
  expect(sourceDiskOf({})).toBeUndefined();
  expect(sourceDiskOf({ instances: "auto" })).toBeUndefined();
  expect(sourceDiskOf({ instances: "auto", sourceDisk: "a.img" })).toBe("a.img");
  expect(sourceDiskOf({ instances: "vm", sourceDisk: "a.img" })).toBe("a.img");
  expect(() => sourceDiskOf({ instances: "vm" })).toThrow("vm instances need a disk image to boot from");
  expect(() => sourceDiskOf({ sourceDisk: "a.img" })).toThrow("--source-disk is for vm instances");
});
