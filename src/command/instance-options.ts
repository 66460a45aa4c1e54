import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";

/** What the instances of an emulator are. */
export type InstanceOptions = {
  /** `auto`: vm where a source disk is named. Absent: sandbox. */
  readonly instances?: "sandbox" | "vm" | "auto";
  /** A raw disk image: the root of the source AMIs of vm instances. */
  readonly sourceDisk?: string;
};

export function addInstanceOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--instances <kind>",
        "what emulated instances are: sandboxes, or QEMU machines that boot the image",
      )
        .choices(["sandbox", "vm", "auto"])
        .default("sandbox"),
    )
    .option(
      "--source-disk <file>",
      "the raw disk image that source AMIs have in vm instances; it is not changed",
    );
}

/** The image to boot from when instances are virtual machines, `undefined` when they are sandboxes. */
export function sourceDiskOf({ instances = "sandbox", sourceDisk }: InstanceOptions): string | undefined {
  if (instances === "sandbox" && sourceDisk !== undefined) {
    throw new Problem("usage-wrong", "--source-disk is for vm instances, and these are sandboxes", {
      hint: "add --instances vm",
    });
  }
  if (instances === "vm" && sourceDisk === undefined) {
    throw new Problem("usage-wrong", "vm instances need a disk image to boot from", {
      hint: "name one with --source-disk: a raw image of a disk or of a root file system, as a source AMI has it",
    });
  }
  return sourceDisk;
}
