import type { Options } from "../options.ts";
import type { Rebase } from "../paths.ts";
import type { Names } from "./names.ts";
import { baseOf, type Step, toFileLines, toRootStep, toShellWord } from "./step.ts";

/** What `packages` and `bootstrapper` have for apt: keys and sources first, then packages. */
export function toPackageSteps(
  packages: Options | undefined,
  more: readonly string[],
  names: Names,
  rebase: Rebase,
): readonly Step[] {
  if (!packages) return toInstall(more);
  const keys = packages.texts("trusted-keys").map((from) => ({
    upload: { from: rebase(from), to: `/etc/apt/trusted.gpg.d/${baseOf(from)}`, sudo: true },
  }));
  const files = [
    ...filesIn(packages, "sources", "/etc/apt/sources.list.d/NAME.list", names),
    ...filesIn(packages, "apt.conf.d", "/etc/apt/apt.conf.d/NAME", names),
    ...toPreferences(packages),
  ];
  const wanted = [...more, ...names.texts(packages, "install")];
  const archives = wanted.filter((name) => name.startsWith("/"));
  const steps = [
    ...keys,
    ...toRootStep(files),
    ...toInstall(wanted.filter((name) => !name.startsWith("/"))),
    ...toArchives(archives, rebase),
  ];
  packages.dropRest(reasons);
  return steps;
}

const fromAmi = "the source AMI has its own";
const reasons = {
  mirror: [fromAmi, "change /etc/apt/sources.list in a first shell step"],
  security: [fromAmi, "change /etc/apt/sources.list in a first shell step"],
  components: [fromAmi, "add them to /etc/apt/sources.list in a first shell step"],
  install_standard: [
    "the source AMI has what it has",
    "in a shell step: apt-get install -y tasksel && tasksel install standard",
  ],
  "include-source-type": [fromAmi],
} as const;

/** Without what is only recommended, as bootstrap-vz does it. */
export function toInstall(packages: readonly string[]): readonly Step[] {
  return packages.length === 0
    ? []
    : [{ packages: { install: [...packages], recommends: false, retries: 2 } }];
}

/** Packages that are files of this machine. */
function toArchives(archives: readonly string[], rebase: Rebase): readonly Step[] {
  if (archives.length === 0) return [];
  const there = archives.map((from) => `/tmp/${baseOf(from)}`);
  return [
    ...archives.map((from, index) => ({ upload: { from: rebase(from), to: there[index] ?? "" } })),
    ...toRootStep([`DEBIAN_FRONTEND=noninteractive dpkg --install ${there.map(toShellWord).join(" ")}`]),
  ];
}

/** Files of apt's that a map names. */
function filesIn(packages: Options, section: string, path: string, names: Names): readonly string[] {
  const [files] = packages.blocks(section);
  return (files?.names() ?? []).flatMap((name) => {
    const lines = files ? names.texts(files, name).map((line) => line.trimEnd()) : [];
    return toFileLines(path.replace("NAME", name), lines);
  });
}

function toPreferences(packages: Options): readonly string[] {
  const [files] = packages.blocks("preferences");
  return (files?.names() ?? []).flatMap((name) => {
    const pins = files?.blocks(name) ?? [];
    const lines = pins.flatMap((pin) => [
      `Package: ${pin.text("package") ?? "*"}`,
      `Pin: ${pin.text("pin") ?? ""}`,
      `Pin-Priority: ${pin.text("pin-priority") ?? ""}`,
      "",
    ]);
    return toFileLines(name === "main" ? "/etc/apt/preferences" : `/etc/apt/preferences.d/${name}`, lines);
  });
}
