import type { WrittenImage } from "./image.gen.ts";
import { toSeconds } from "./quantity.ts";

export type StepBase = {
  /** What people read: the script's name, or the first words of an inline one. */
  readonly title: string;
  /** Where it stands in the spec, `provision[2]`. */
  readonly label: string;
  readonly timeoutSeconds: number;
  readonly retries: number;
};

type WrittenStep = WrittenImage["provision"][number];

/** What may stand in a step, without plugins. */
export const stepKeys: Readonly<Record<keyof WrittenStep, "kind" | "condition">> = {
  shell: "kind",
  upload: "kind",
  download: "kind",
  local: "kind",
  program: "kind",
  packages: "kind",
  check: "kind",
  reboot: "kind",
  ansible: "kind",
  breakpoint: "kind",
  if: "condition",
  only: "condition",
  except: "condition",
};

type WrittenPackages = NonNullable<WrittenStep["packages"]>;
type WrittenAssertion = NonNullable<WrittenStep["check"]>["that"][number];

/** Names are lists of packages, some as `name=version`; what stands under a package manager is installed besides. */
type PackagesStep = StepBase & { readonly kind: "packages" } & Omit<WrittenPackages, "timeout" | "retries">;

/** What the instance must be like; one of the keys is there. */
type Assertion = Omit<WrittenAssertion, "command"> & {
  readonly command?: Omit<NonNullable<WrittenAssertion["command"]>, "timeout"> & {
    readonly timeoutSeconds: number;
  };
};

type CheckStep = StepBase & {
  readonly kind: "check";
  readonly assertions: readonly Assertion[];
  readonly sudo: boolean;
};

type RebootStep = StepBase & { readonly kind: "reboot" };

export type BuiltInStep = PackagesStep | CheckStep | RebootStep | BreakpointStep;

type BreakpointStep = StepBase & {
  readonly kind: "breakpoint";
  /** What to tell whoever is asked. */
  readonly note: string | null;
};

/** The steps that need no file of this machine; `undefined` when it is another one. */
export function toBuiltIn(
  { packages, check, reboot, breakpoint }: WrittenStep,
  label: string,
): BuiltInStep | undefined {
  if (packages) {
    const { timeout, retries, ...rest } = packages;
    return {
      kind: "packages",
      title: toTitle(rest),
      label,
      timeoutSeconds: toSeconds(timeout),
      retries,
      ...rest,
    };
  }
  if (check) {
    const { that, sudo, timeout, retries } = check;
    return {
      kind: "check",
      title: that.length === 1 ? "one assertion" : `${that.length} assertions`,
      label,
      timeoutSeconds: toSeconds(timeout),
      retries,
      assertions: that.map(toAssertion),
      sudo,
    };
  }
  if (breakpoint) {
    const { note, timeout } = breakpoint;
    return {
      kind: "breakpoint",
      title: note ?? "",
      label,
      timeoutSeconds: toSeconds(timeout),
      retries: 0,
      note,
    };
  }
  if (!reboot) return undefined;
  const timeoutSeconds = toSeconds(reboot.timeout);
  return { kind: "reboot", title: "the instance", label, timeoutSeconds, retries: 0 };
}

function toAssertion({ command, ...rest }: WrittenAssertion): Assertion {
  if (command === undefined) return rest;
  const { timeout, ...what } = command;
  return { ...rest, command: { ...what, timeoutSeconds: toSeconds(timeout) } };
}

function toTitle({
  install,
  apt,
  dnf,
  yum,
  zypper,
  apk,
  update,
  remove,
}: Omit<WrittenPackages, "timeout" | "retries">): string {
  const names = [...new Set([...install, ...apt, ...dnf, ...yum, ...zypper, ...apk])];
  const words = [
    ...names,
    ...update.map((name) => (name === "*" ? "updates" : name)),
    ...remove.map((name) => `without ${name}`),
  ];
  const shown = words.slice(0, 4).join(", ");
  return words.length > 4 ? `${shown} and ${words.length - 4} more` : shown || "nothing";
}
