/** An instance type, as far as choosing one needs it (EC2 instance type pages of the previous generations). */
export type InstanceType = {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMib: number;
  readonly disks: { readonly count: number; readonly sizeGb: number; readonly kind: "hdd" | "ssd" } | null;
  readonly architectures: readonly string[];
  readonly virtualizations: readonly string[];
  readonly rootDeviceTypes: readonly string[];
  readonly hypervisor: "xen" | "nitro";
  readonly isCurrent: boolean;
};

/** name, CPUs, memory in MiB, disks, size of each in GB */
const withInstanceStore: readonly (readonly [string, number, number, number, number])[] = [
  ["c1.medium", 2, 1740, 1, 350],
  ["c1.xlarge", 8, 7168, 4, 420],
  ["c3.large", 2, 3840, 2, 16],
  ["c3.xlarge", 4, 7680, 2, 40],
  ["c3.2xlarge", 8, 15360, 2, 80],
  ["c3.4xlarge", 16, 30720, 2, 160],
  ["c3.8xlarge", 32, 61440, 2, 320],
  ["d2.xlarge", 4, 31232, 3, 2048],
  ["d2.2xlarge", 8, 62464, 6, 2048],
  ["d2.4xlarge", 16, 124928, 12, 2048],
  ["d2.8xlarge", 36, 249856, 24, 2048],
  ["i2.xlarge", 4, 31232, 1, 800],
  ["i2.2xlarge", 8, 62464, 2, 800],
  ["i2.4xlarge", 16, 124928, 4, 800],
  ["i2.8xlarge", 32, 249856, 8, 800],
  ["m1.small", 1, 1740, 1, 160],
  ["m1.medium", 1, 3788, 1, 410],
  ["m1.large", 2, 7680, 2, 420],
  ["m1.xlarge", 4, 15360, 4, 420],
  ["m2.xlarge", 2, 17510, 1, 420],
  ["m2.2xlarge", 4, 35020, 1, 850],
  ["m2.4xlarge", 8, 70041, 2, 840],
  ["m3.medium", 1, 3840, 1, 4],
  ["m3.large", 2, 7680, 1, 32],
  ["m3.xlarge", 4, 15360, 2, 40],
  ["m3.2xlarge", 8, 30720, 2, 80],
  ["r3.large", 2, 15360, 1, 32],
  ["r3.xlarge", 4, 31232, 1, 80],
  ["r3.2xlarge", 8, 62464, 1, 160],
  ["r3.4xlarge", 16, 124928, 1, 320],
  ["r3.8xlarge", 32, 249856, 2, 320],
  ["x1.16xlarge", 64, 999424, 1, 1920],
  ["x1.32xlarge", 128, 1998848, 2, 1920],
];

/** Types that cannot have an instance-store root, for everything that must be refused. */
const ebsOnly: readonly InstanceType[] = [
  { ...toEbsOnly("t2.micro", 1, 1024), architectures: ["i386", "x86_64"], hypervisor: "xen" },
  toEbsOnly("t3.micro", 2, 1024),
  toEbsOnly("m5.large", 2, 8192),
  toEbsOnly("c5.large", 2, 4096),
  { ...toEbsOnly("t4g.micro", 2, 1024), architectures: ["arm64"] },
];

const takes32Bit = new Set(["c1.medium", "c3.large", "m1.small", "m1.medium"]);
const takesParavirtual = new Set(["c1", "c3", "m1", "m2", "m3"]);
const hasHardDisks = new Set(["c1", "d2", "m1", "m2"]);

/** Every type that the emulator offers, in every region alike. */
export const instanceTypes: readonly InstanceType[] = [
  ...withInstanceStore.map(([name, cpus, memoryMib, count, sizeGb]): InstanceType => {
    const family = name.slice(0, 2);
    return {
      name,
      cpus,
      memoryMib,
      disks: { count, sizeGb, kind: hasHardDisks.has(family) ? "hdd" : "ssd" },
      architectures: takes32Bit.has(name) ? ["i386", "x86_64"] : ["x86_64"],
      virtualizations: takesParavirtual.has(family) ? ["hvm", "paravirtual"] : ["hvm"],
      rootDeviceTypes: ["ebs", "instance-store"],
      hypervisor: "xen",
      isCurrent: family === "x1",
    };
  }),
  ...ebsOnly,
];

function toEbsOnly(name: string, cpus: number, memoryMib: number): InstanceType {
  return {
    name,
    cpus,
    memoryMib,
    disks: null,
    architectures: ["x86_64"],
    virtualizations: ["hvm"],
    rootDeviceTypes: ["ebs"],
    hypervisor: "nitro",
    isCurrent: true,
  };
}
