import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
const scripts = join(import.meta.dirname, "debian");

/** What a source AMI of ours has beside the essential packages: a kernel, an init, a way in, and what a copy may need. */
const packages = [
  "linux-image-cloud-amd64",
  "systemd-sysv",
  "udev",
  "iproute2",
  "openssh-server",
  "sudo",
  "e2fsprogs",
  "fdisk",
  "curl",
  "ca-certificates",
  "openssl",
  "acl",
  "attr",
  "libcap2-bin",
  "procps",
];

const options = [
  "--variant=minbase",
  "--format=directory",
  `--include=${packages.join(",")}`,
  "--dpkgopt=force-unsafe-io",
  ...["doc", "man", "locale", "info", "lintian"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
  // Drivers of machines that QEMU is not.
  ...["drivers/gpu", "drivers/infiniband", "drivers/net/ethernet", "net/openvswitch", "net/sctp"].map(
    (name) => `--dpkgopt=path-exclude=/lib/modules/*/kernel/${name}/*`,
  ),
];

/** Installs a Debian bookworm with everything planted in it that a copy may lose; needs root. */
export async function installDebian(directory: string): Promise<void> {
  const inside = (script: string): string => `--customize-hook=chroot "$1" sh < '${join(scripts, script)}'`;
  await execute(
    "mmdebstrap",
    [
      ...options,
      `--essential-hook=sh '${join(scripts, "early.sh")}' "$1"`,
      `--customize-hook=copy-in '${join(scripts, "first-boot.sh")}' /tmp`,
      inside("customise.sh"),
      inside("plant.sh"),
      "bookworm",
      directory,
      ...(await mirrors()),
    ],
    { maxBuffer: 64 * 1024 * 1024, env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8" } },
  );
}

/** Changes when what is installed or planted does. */
export async function debianDigest(): Promise<string> {
  const digest = createHash("sha256").update(options.join("\n"));
  for (const name of ["early.sh", "first-boot.sh", "customise.sh", "plant.sh"])
    digest.update(await readFile(join(scripts, name)));
  return digest.digest("hex");
}

/** Debian bookworm as this machine gets it; nothing where it gets something else, which means Debian's own mirror. */
async function mirrors(): Promise<readonly string[]> {
  const format = "$(REPO_URI) $(RELEASE) $(COMPONENT)";
  const { stdout } = await execute("apt-get", [
    "indextargets",
    "--format",
    format,
    "Created-By: Packages",
    "Origin: Debian",
  ]).catch(() => ({ stdout: "" }));
  const lines = stdout.split("\n").filter((line) => / bookworm(-updates|-security)? main$/.test(line));
  return lines.some((line) => / bookworm main$/.test(line))
    ? [...new Set(lines)].map((line) => `deb ${line}`)
    : [];
}
