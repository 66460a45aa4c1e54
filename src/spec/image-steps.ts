import { basename, resolve } from "node:path";
import { type Node, nodeAt, type Path } from "../document/node.ts";
import type { Region } from "../util/region.ts";
import { toAnsible } from "./ansible.ts";
import { toLabel } from "./check.ts";
import type { WrittenImage } from "./image.gen.ts";
import type { PluginStep } from "./plugins/steps.ts";
import { toProgramStep } from "./program-step.ts";
import { toSeconds } from "./quantity.ts";
import type { Environment, ProvisionStep, ShellStep } from "./spec.ts";
import { toBuiltIn } from "./steps.ts";

export type ImageContext = {
  readonly name: string;
  readonly region: Region;
  readonly variant: string | null;
  /** Absolute; relative paths are relative to it. */
  readonly directory: string;
  readonly build: { readonly id: string; readonly now: Date };
  /** Where the written image comes from, with expressions evaluated. */
  readonly node: Node;
  readonly pluginSteps: ReadonlyMap<number, PluginStep>;
};

const copyTimeoutSeconds = 3600;

/** A step of `provision`, with nothing left open. */
export function toStep(
  step: WrittenImage["provision"][number],
  index: number,
  context: ImageContext,
): ProvisionStep {
  const { directory, node } = context;
  const at = ["provision", index] as const;
  const label = toLabel(at);
  if (step.shell) return toShell(step.shell, at, context);
  if (step.program) {
    const secrets = toEnvironment(node, [...at, "program", "secrets"]);
    return toProgramStep(step.program, { label, directory, secrets });
  }
  if (step.local) {
    const { command, workdir, timeout } = step.local;
    return {
      kind: "local",
      title: firstWords(command),
      label,
      timeoutSeconds: toSeconds(timeout),
      retries: 0,
      command,
      env: toEnvironment(node, [...at, "local", "env"]),
      workdir: resolve(directory, workdir),
    };
  }
  if (step.ansible) return toAnsible(step.ansible, at, context);
  const builtIn = toBuiltIn(step, label);
  if (builtIn) return builtIn;
  const base = { label, timeoutSeconds: copyTimeoutSeconds, retries: 0 };
  if (step.upload) {
    const { from, to, mode, sudo } = step.upload;
    return {
      kind: "upload",
      title: `${from} to ${to}`,
      ...base,
      from: resolve(directory, from),
      to,
      mode,
      sudo,
    };
  }
  const { from, to } = step.download ?? { from: "", to: "" };
  return { kind: "download", title: `${from} to ${to}`, ...base, from, to: resolve(directory, to) };
}

export function toShell(
  shell: NonNullable<WrittenImage["verify"]["tests"][number]["shell"]>,
  at: Path,
  { directory, node }: ImageContext,
): ShellStep {
  const { file, inline = "", sudo, workdir, exitCodes, retries, timeout } = shell;
  return {
    kind: "shell",
    title: file === undefined ? firstWords(inline) : basename(file),
    label: toLabel(at),
    timeoutSeconds: toSeconds(timeout),
    retries,
    script: file === undefined ? { inline } : { path: resolve(directory, file) },
    env: toEnvironment(node, [...at, "shell", "env"]),
    sudo,
    workdir,
    exitCodes,
  };
}

/** Read from the nodes, since only they tell a secret from a text. */
function toEnvironment(root: Node, path: Path): Environment {
  const node = nodeAt(root, path);
  if (node?.kind !== "map") return {};
  const entries = [...node.entries].map(([name, { node: inner }]) => {
    if (inner.kind !== "scalar") return [name, ""];
    return [name, inner.secret === undefined ? String(inner.value) : { $secret: inner.secret.name }];
  });
  return Object.fromEntries(entries);
}

/** The first line that says something, cut to a title. */
function firstWords(script: string): string {
  const lines = script.split("\n").map((line) => line.trim());
  const line = lines.find((text) => text !== "" && !text.startsWith("#")) ?? "script";
  return line.length <= 60 ? line : `${line.slice(0, 59).trimEnd()}…`;
}
