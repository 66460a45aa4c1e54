import type { AnsibleStep } from "../spec/ansible.ts";
import type { ProvisionStep, ShellStep, Spec } from "../spec/spec.ts";
import { ansible } from "../stage/ansible.ts";
import { breakpoint } from "../stage/breakpoint.ts";
import { checkInstance } from "../stage/check-instance.ts";
import type { LaunchedInstance } from "../stage/launch.ts";
import { local } from "../stage/local.ts";
import type { NeededProgram } from "../stage/needed-programs.ts";
import { packages } from "../stage/packages.ts";
import { plugin } from "../stage/plugin.ts";
import { program } from "../stage/program.ts";
import { reboot } from "../stage/reboot.ts";
import { type ShellInput, shell } from "../stage/shell.ts";
import { downloadFiles, uploadFiles } from "../stage/transfer.ts";
import { imageFiles } from "./add-bundle.ts";
import type { PlanBuilder, Ref } from "./plan.ts";

export type PlanOptions = {
  /** SHA-256 by absolute path of every local file that the spec sends (`digestFiles`). */
  readonly digests: ReadonlyMap<string, string>;
  /** A command that each new image must run when it is launched; null: none is launched. */
  readonly tryCommand: string | null;
  /** Breakpoints are told of, and not waited at. */
  readonly skipBreakpoints?: boolean;
};

type StepPlace = { readonly group: string; readonly index: number; readonly on: Ref<LaunchedInstance> };

/** Adds a step behind what the instance was before it. */
export function addStep(
  plan: PlanBuilder,
  { group, index, on }: StepPlace,
  step: ProvisionStep,
  { digests, skipBreakpoints = false }: PlanOptions,
): Ref<LaunchedInstance> {
  const word = `provision.${index + 1}`;
  const common = { on, timeoutSeconds: step.timeoutSeconds, retries: step.retries, label: step.label };
  switch (step.kind) {
    case "shell":
      return plan.add(group, word, shell, { ...toTest(step, digests), on }, `Run ${step.title}`);
    case "upload": {
      const { from, to, mode, sudo } = step;
      const contents = digests.get(from) ?? "";
      return plan.add(
        group,
        word,
        uploadFiles,
        { ...common, from, contents, to, mode, sudo },
        `Send ${step.title}`,
      );
    }
    case "download":
      return plan.add(
        group,
        word,
        downloadFiles,
        { ...common, from: step.from, to: step.to },
        `Fetch ${step.title}`,
      );
    case "local": {
      const { command, env, workdir } = step;
      return plan.add(group, word, local, { ...common, command, env, workdir }, `Run here: ${step.title}`);
    }
    case "packages": {
      const { kind: _, title, ...input } = step;
      return plan.add(group, word, packages, { ...input, on }, `Packages: ${title}`);
    }
    case "check": {
      const { assertions, sudo } = step;
      return plan.add(group, word, checkInstance, { ...common, assertions, sudo }, `Check ${step.title}`);
    }
    case "reboot":
      return plan.add(group, word, reboot, { on, timeoutSeconds: step.timeoutSeconds, label: step.label });
    case "ansible": {
      const { kind: _, title, ...input } = step;
      const contents = Object.fromEntries(filesOf(step).map((path) => [path, digests.get(path) ?? ""]));
      return plan.add(group, word, ansible, { ...input, on, contents }, `Playbook ${title}`);
    }
    case "breakpoint": {
      const { note, timeoutSeconds, label } = step;
      const input = { on, note, timeoutSeconds, label, isSkipped: skipBreakpoints };
      return plan.add(group, word, breakpoint, input);
    }
    case "program": {
      const { command, options, secrets, directory } = step;
      const contents = step.files.map((path) => digests.get(path) ?? "");
      return plan.add(
        group,
        word,
        program,
        { ...common, command, contents, told: { options }, secrets, directory },
        `Run here: ${step.title}`,
      );
    }
    case "plugin": {
      const { plugin: facts, provisioner, options, directory } = step;
      const what = { plugin: facts, provisioner, told: { options }, directory };
      return plan.add(group, word, plugin, { ...common, ...what }, `Run ${step.title}`);
    }
    default:
      return step satisfies never;
  }
}

/** A script as a task takes it, wherever it is to run. */
export function toTest(step: ShellStep, digests: ReadonlyMap<string, string>): Omit<ShellInput, "on"> {
  const { env, sudo, workdir, exitCodes, timeoutSeconds, retries, label } = step;
  const script =
    "path" in step.script
      ? { path: step.script.path, contents: digests.get(step.script.path) ?? "" }
      : step.script;
  return { script, env, sudo, workdir, exitCodes, timeoutSeconds, retries, label };
}

/** The programs of this machine that steps need, each once. */
export function programsOf(steps: readonly ProvisionStep[]): readonly NeededProgram[] {
  const needed = steps.flatMap((step) =>
    step.kind === "ansible" ? [{ command: step.command, label: step.label }] : [],
  );
  return needed.filter(({ command }, index) => needed.findIndex((one) => one.command === command) === index);
}

function filesOf({ playbook, extraVarsFiles }: AnsibleStep): readonly string[] {
  return [playbook, ...extraVarsFiles];
}

/** The local files and directories that a spec's steps and its image take from this machine. */
export function localPaths(spec: Spec): readonly string[] {
  const paths = spec.images.flatMap(({ provision, bundle, verify: gate }) => [
    ...[...provision, ...(gate?.tests ?? [])].flatMap((step) => {
      if (step.kind === "upload") return [step.from];
      if (step.kind === "ansible") return filesOf(step);
      if (step.kind === "program") return step.files;
      return step.kind === "shell" && "path" in step.script ? [step.script.path] : [];
    }),
    ...imageFiles(bundle),
  ]);
  return [...new Set(paths)];
}
