import { basename, dirname, resolve } from "node:path";
import { type Node, nodeAt, type Path } from "../document/node.ts";
import type { Json } from "../util/json.ts";
import { toLabel } from "./check.ts";
import type { WrittenImage } from "./image.gen.ts";
import { toSeconds } from "./quantity.ts";
import type { StepBase } from "./steps.ts";

type Written = NonNullable<WrittenImage["provision"][number]["ansible"]>;

export type AnsibleStep = StepBase & {
  readonly kind: "ansible";
  /** What the inventory calls the instance. */
  readonly host: string;
  readonly groups: readonly string[];
  /** A `SecretRef` may stand anywhere in it. */
  readonly extraVars: { readonly [name: string]: Json };
  /** Absolute. */
  readonly playbook: string;
  readonly extraVarsFiles: readonly string[];
  readonly workdir: string;
  /** A name in the PATH, or an absolute path. */
  readonly command: string;
  readonly sudo: boolean;
  readonly tags: readonly string[];
  readonly skipTags: readonly string[];
  readonly verbose: number;
  readonly extraArguments: readonly string[];
  readonly env: { readonly [name: string]: string };
};

type Where = { readonly directory: string; readonly node: Node };

export function toAnsible(written: Written, at: Path, { directory, node }: Where): AnsibleStep {
  const { timeout, playbook, extraVarsFiles, workdir, command, env, ...rest } = written;
  const path = resolve(directory, playbook);
  const variables = nodeAt(node, [...at, "ansible", "extraVars"]);
  return {
    kind: "ansible",
    title: basename(playbook),
    label: toLabel(at),
    timeoutSeconds: toSeconds(timeout),
    ...rest,
    extraVars: variables?.kind === "map" ? toVariables(variables.entries) : {},
    playbook: path,
    extraVarsFiles: extraVarsFiles.map((one) => resolve(directory, one)),
    workdir: workdir === null ? dirname(path) : resolve(directory, workdir),
    command: command.includes("/") ? resolve(directory, command) : command,
    env: { ...env },
  };
}

/** Read from the nodes, since only they tell a secret from a text. */
function toVariables(entries: ReadonlyMap<string, { readonly node: Node }>): { [name: string]: Json } {
  return Object.fromEntries([...entries].map(([name, { node }]) => [name, toVariable(node)]));
}

function toVariable(node: Node): Json {
  if (node.kind === "list") return node.items.map(toVariable);
  if (node.kind === "map") return toVariables(node.entries);
  return node.secret === undefined ? node.value : { $secret: node.secret.name };
}
