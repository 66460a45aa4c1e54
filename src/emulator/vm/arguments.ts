import type { Accelerator } from "./accelerator.ts";
import type { Firmware } from "./firmware.ts";
import type { Kernel } from "./kernel.ts";

export type Hardware = {
  readonly accelerator: Accelerator;
  /** Of the host; a guest gets two at most. */
  readonly processors: number;
  /** A raw image; it is read only, what is written goes to a temporary file that has no name. */
  readonly disk: string;
  /** Null: by the disk's own boot loader. */
  readonly kernel: Kernel | null;
  /** A UEFI; null: the BIOS that QEMU has. */
  readonly firmware: Firmware | null;
  /** Raw images that the instance may write to: its instance store volumes, in the order of their devices. */
  readonly volumes: readonly string[];
  /** A command that joins its standard input and output with the metadata service. */
  readonly relay: readonly string[];
};

/** The file descriptor on which QEMU is spoken to. */
const controlFd = 3;

/**
 * The network of a guest. It lies around the address of EC2's metadata service, since QEMU answers only there for a
 * single address of its own; the name server has EC2's address too, and the gateway leads to this machine's loopback.
 */
export const guestNetwork = {
  network: "169.254.169.0/24",
  gateway: "169.254.169.1",
  firstAddress: "169.254.169.16",
  nameServer: "169.254.169.253",
  metadata: "169.254.169.254",
} as const;

/** The command line of QEMU: a machine of 2013's kind, with virtio disks, and its serial port on standard output. */
export function toArguments(hardware: Hardware): readonly string[] {
  const { accelerator, processors, disk, kernel, firmware, volumes } = hardware;
  return [
    ...["-M", "pc", "-m", "1024", "-smp", String(Math.min(2, processors))],
    // Each guest processor has a thread, and translated code more room than the default, which a boot overflows.
    ...(accelerator === "kvm"
      ? ["-accel", "kvm", "-cpu", "host"]
      : ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64"]),
    ...["-nodefaults", "-display", "none", "-device", "virtio-rng-pci"],
    ...["-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"],
    ...["-chardev", `socket,id=control,fd=${controlFd}`, "-mon", "chardev=control,mode=control"],
    ...(firmware === null ? [] : toFlash(firmware)),
    ...toDrive("root", disk, { drive: ["snapshot=on"], device: ["bootindex=0"] }),
    ...volumes.flatMap((path, index) => toDrive(`volume${index}`, path)),
    ...["-netdev", toNetwork(hardware.relay), "-device", "virtio-net-pci,netdev=network,romfile="],
    ...(kernel === null ? [] : toKernelArguments(kernel)),
  ];
}

/** What is on the disk is of no use after a crash of this machine, so nothing waits for it to be written. */
function toDrive(
  id: string,
  path: string,
  more: { readonly drive: readonly string[]; readonly device: readonly string[] } = { drive: [], device: [] },
): readonly string[] {
  const drive = [
    "if=none",
    `id=${id}`,
    `file=${quoted(path)}`,
    "format=raw",
    "cache=unsafe",
    "discard=unmap",
    ...more.drive,
  ];
  const device = ["virtio-blk-pci", `drive=${id}`, ...more.device];
  return ["-drive", drive.join(","), "-device", device.join(",")];
}

/** What the UEFI writes goes to a temporary file too. */
function toFlash({ code, variables }: Firmware): readonly string[] {
  return [
    ...["-drive", `if=pflash,unit=0,format=raw,readonly=on,file=${quoted(code)}`],
    ...["-drive", `if=pflash,unit=1,format=raw,snapshot=on,file=${quoted(variables)}`],
  ];
}

function toNetwork(relay: readonly string[]): string {
  const { network, gateway, firstAddress, nameServer, metadata } = guestNetwork;
  const command = relay.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return [
    "user,id=network,ipv6=off",
    `net=${network}`,
    `host=${gateway}`,
    `dhcpstart=${firstAddress}`,
    `dns=${nameServer}`,
    // Port 0: any free one; QEMU says which.
    "hostfwd=tcp:127.0.0.1:0-:22",
    `guestfwd=tcp:${metadata}:80-cmd:${quoted(command)}`,
  ].join(",");
}

function toKernelArguments({ path, initrd, commandLine }: Kernel): readonly string[] {
  return [...["-kernel", path, "-append", commandLine], ...(initrd === null ? [] : ["-initrd", initrd])];
}

/** A comma ends a value, two are one. */
function quoted(value: string): string {
  return value.replaceAll(",", ",,");
}
