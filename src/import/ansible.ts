import type { PlainValue } from "../document/node.ts";
import { toTimeout } from "./launch-sections.ts";
import type { Options, Reason } from "./options.ts";
import type { Rebase } from "./paths.ts";
import { isSecretName } from "./secrets.ts";
import { type Step, toShort, withoutSecrets } from "./step.ts";

const ownWay = "Ansible reaches the instance over imgspec's own connection";
const galaxy = "roles and collections are not installed by imgspec";
const before = "run ansible-galaxy install before the build";

export const ansibleReasons: Readonly<Record<string, Reason>> = {
  user: ["Ansible works as the user that imgspec logs in as", "connect.user"],
  use_proxy: [ownWay],
  local_port: [ownWay],
  use_sftp: [ownWay],
  sftp_command: [ownWay],
  ssh_host_key_file: [ownWay],
  ssh_authorized_key_file: [ownWay],
  ansible_ssh_extra_args: [ownWay],
  ansible_proxy_key_type: [ownWay],
  adapter_key_type: [ownWay],
  empty_groups: ["a group without a host has no use in the inventory of one host"],
  "inventory_*": [
    "the inventory is imgspec's own",
    "name groups, or give another one with extraArguments: [-i, PATH]",
  ],
  keep_inventory_file: ["the inventory may hold secrets, and goes with the step"],
  skip_version_check: ["imgspec looks whether Ansible can be started, whatever its version"],
  galaxy_command: [galaxy, before],
  galaxy_file: [galaxy, before],
  galaxy_force_install: [galaxy, before],
  galaxy_force_with_deps: [galaxy, before],
  roles_path: [galaxy, "set ANSIBLE_ROLES_PATH in the env of the step"],
  collections_path: [galaxy, "set ANSIBLE_COLLECTIONS_PATH in the env of the step"],
};

/** Packer's `ansible`, which runs on this machine. */
export function toAnsibleStep(options: Options, rebase: Rebase): readonly Step[] {
  const playbook = options.text("playbook_file");
  const groups = options.texts("groups");
  const command = toCommand(options, rebase);
  const env = toEnvironment(options);
  const told = toTold(options.lines("extra_arguments"), options, rebase);
  const timeout = toTimeout(options, "timeout");
  const retries = options.number("max_retries") || undefined;
  const host = options.text("host_alias");
  if (playbook === undefined) return [];
  // Packer runs it where it is run itself.
  const workdir = playbook.includes("/") ? rebase(".").replace(/\/$/, "") : undefined;
  const section = {
    playbook: rebase(playbook),
    host: host === "default" ? undefined : host,
    groups: groups.length > 0 ? [...groups] : undefined,
    ...told,
    env,
    command,
    workdir,
    timeout,
    retries,
  };
  return [{ ansible: toShort(section, "playbook") }];
}

/** Packer's `breakpoint`. */
export function toBreakpoint(options: Options): readonly Step[] {
  const note = options.text("note");
  return options.flag("disable") ? [] : [{ breakpoint: note === undefined ? {} : { note } }];
}

function toCommand(options: Options, rebase: Rebase): string | undefined {
  const command = options.text("command");
  if (command === undefined || command === "ansible-playbook") return undefined;
  if (!/\s/.test(command)) return command.includes("/") ? rebase(command) : command;
  options.leave("command", ["it is more than a program", "name the program as command, and the rest in env"]);
  return undefined;
}

function toEnvironment(options: Options): Step | undefined {
  const env: Step = {};
  for (const line of options.texts("ansible_env_vars")) {
    const [name = "", ...rest] = line.split("=");
    // The host key is known, and checked.
    if (name === "ANSIBLE_HOST_KEY_CHECKING") continue;
    if (isSecretName(name)) {
      options.leave(`${name} of ansible_env_vars`, [
        "no secret is in the environment of Ansible",
        "use extraVars",
      ]);
    } else env[name] = rest.join("=").replace(/^(['"])(.*)\1$/s, "$2");
  }
  return Object.keys(env).length > 0 ? env : undefined;
}

type Told = {
  extraVars: Step;
  readonly extraVarsFiles: string[];
  readonly tags: string[];
  readonly skipTags: string[];
  sudo: boolean;
  verbose: number;
  readonly extraArguments: string[];
};

/** The words that have keys of their own, as these; the others as they are. */
function toTold(
  words: readonly string[],
  options: Options,
  rebase: Rebase,
): { [key: string]: PlainValue | undefined } {
  const told: Told = {
    ...{
      extraVars: {},
      extraVarsFiles: [],
      tags: [],
      skipTags: [],
      sudo: false,
      verbose: 0,
      extraArguments: [],
    },
  };
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    const [, name = word, joined] = /^(--[a-z-]+|-[et])(?:=|\s+)(.*)$/s.exec(word) ?? [];
    const take = takers[name];
    if (take) take(joined ?? rest.shift() ?? "", told, rebase);
    else if (name === "--become" || name === "-b") told.sudo = true;
    else if (/^-v+$/.test(name)) told.verbose = Math.min(6, told.verbose + name.length - 1);
    else told.extraArguments.push(word);
  }
  const orAbsent = <T extends PlainValue & object>(value: T): T | undefined =>
    Object.keys(value).length > 0 ? value : undefined;
  return {
    extraVars: orAbsent(withoutSecrets(told.extraVars, options)),
    extraVarsFiles: orAbsent(told.extraVarsFiles),
    sudo: told.sudo || undefined,
    tags: orAbsent(told.tags),
    skipTags: orAbsent(told.skipTags),
    verbose: told.verbose || undefined,
    extraArguments: orAbsent(told.extraArguments),
  };
}

type Taker = (value: string, told: Told, rebase: Rebase) => void;

const toVariables: Taker = (value, told, rebase) => {
  if (value.startsWith("@")) told.extraVarsFiles.push(rebase(value.slice(1)));
  else told.extraVars = { ...told.extraVars, ...variablesIn(value) };
};
const toTags: Taker = (value, told) => void told.tags.push(...value.split(","));
const toSkipTags: Taker = (value, told) => void told.skipTags.push(...value.split(","));

const takers: Readonly<Record<string, Taker>> = {
  "--extra-vars": toVariables,
  "-e": toVariables,
  "--tags": toTags,
  "-t": toTags,
  "--skip-tags": toSkipTags,
};

/** A JSON map, or `name=value` by blanks, where a value with blanks stands in quotes. */
function variablesIn(text: string): Step {
  if (text.trim().startsWith("{")) {
    try {
      return JSON.parse(text) as Step;
    } catch {
      // Ansible takes it for YAML; so does who reads the spec.
    }
  }
  const pairs = [...text.matchAll(/([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\$\{\{.*?\}\}|\S)*)/g)];
  return Object.fromEntries(
    pairs.map(([, name = "", value = ""]) => [name, value.replace(/^(['"])(.*)\1$/s, "$2")]),
  );
}
