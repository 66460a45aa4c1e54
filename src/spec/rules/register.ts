import { blockDeviceMappingsOf } from "../block-devices.ts";
import type { Rule } from "./rule.ts";

/** What RegisterImage takes as a name. */
export const imageName: Rule = {
  needs: [["register", "name"]],
  *find({ register: { name } }) {
    if (name === undefined) return;
    const at = ["register", "name"];
    const characters = [...new Set(name.replaceAll(/[A-Za-z0-9()[\] ./'@_-]/g, ""))];
    if (name.length < 3 || name.length > 128) {
      const message = `the name of an AMI must have 3 to 128 characters, not ${name.length}`;
      yield { code: "image-name-wrong", at, message };
    } else if (characters.length > 0) {
      const message = `the name of an AMI must not have ${characters.map((one) => `"${one}"`).join(", ")}`;
      const hint = "it may have letters, digits, spaces and ( ) [ ] . / - ' @ _";
      yield { code: "image-name-wrong", at, message, hint };
    }
  },
};

/** A paravirtual image boots with the kernel it names, or that its source names; EC2 has no default. */
export const paravirtualNeedsKernel: Rule = {
  needs: [["register", "virtualization"], ["register", "kernel"], ["source"]],
  *find({ register: { virtualization, kernel }, source: { find } }) {
    if (virtualization !== "paravirtual" || kernel !== null || find?.virtualization === "paravirtual") return;
    yield {
      code: "kernel-missing",
      at: ["register", "virtualization"],
      message: "a paravirtual image needs a kernel, and only the source AMI can give one here",
      hint: "set register.kernel if the source AMI is not paravirtual",
    };
  },
};

/** Instance store volumes have few names, and each of them once. */
export const devicesAreTaken: Rule = {
  needs: [["register", "blockDeviceMappings"]],
  *find({ register }) {
    const isList = Array.isArray(register.blockDeviceMappings);
    const seen = new Set<string>();
    for (const [index, { device, virtual }] of blockDeviceMappingsOf(register).entries()) {
      const at = ["register", "blockDeviceMappings", isList ? index : device];
      if (!/^(\/dev\/)?(sd|xvd)[b-z]$/.test(device)) {
        const message = `"${device}" is not a device for an instance store volume`;
        const hint = "use /dev/sdb to /dev/sdz or /dev/xvdb to /dev/xvdz";
        yield { code: "device-wrong", at: isList ? [...at, "device"] : at, on: "key", message, hint };
      }
      if (seen.has(device)) {
        yield {
          code: "device-wrong",
          at: [...at, "device"],
          message: `the device "${device}" is here twice`,
        };
      }
      seen.add(device);
      if (/^ephemeral(1?\d|2[0-3])$/.test(virtual)) continue;
      const message = `"${virtual}" is not an instance store volume`;
      yield {
        code: "device-wrong",
        at: isList ? [...at, "virtual"] : at,
        message,
        hint: "use ephemeral0 to ephemeral23",
      };
    }
  },
};
