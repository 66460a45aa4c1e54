import { join } from "node:path";
import type { Json } from "../util/json.ts";
import type { LaunchedInstance } from "./launch.ts";
import type { StageContext } from "./stage.ts";
import { toRoute, toWay } from "./way.ts";

export type AnsibleFiles = {
  /** What the inventory calls the instance. */
  readonly host: string;
  readonly groups: readonly string[];
  /** `{ $secret: name }` stands for a value that must not be seen (`StageContext.secret`). */
  readonly extraVars: { readonly [name: string]: Json };
};

type Place = { readonly input: AnsibleFiles; readonly directory: string; readonly port: number };

/** The inventory: the instance, at the relay of this directory and port. */
export function toInventory(
  on: LaunchedInstance,
  { input, directory, port }: Place,
  context: StageContext,
): string {
  const { sudoPassword } = toRoute(on.way ?? toWay({}), context);
  const config = join(directory, "ssh_config").replaceAll("'", `'"'"'`);
  const facts: Record<string, Json> = {
    ansible_connection: "ssh",
    ansible_host: "127.0.0.1",
    ansible_port: port,
    ansible_user: on.user,
    // They are stronger than what ansible.cfg says; the rest of it is the user's.
    ansible_ssh_args: `-F '${config}'`,
    ansible_ssh_common_args: "",
    ansible_host_key_checking: true,
    imgspec_region: on.account.region,
    imgspec_instance_id: on.instanceId,
    imgspec_host: on.host,
  };
  const lines = Object.entries(facts).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`);
  const members = JSON.stringify({ hosts: { [input.host]: {} } });
  return [
    "all:",
    "  hosts:",
    `    ${JSON.stringify(input.host)}:`,
    ...lines,
    ...(sudoPassword === null ? [] : [`      ansible_become_password: ${toUnsafe(sudoPassword)}`]),
    ...(input.groups.length > 0 ? ["  children:"] : []),
    ...input.groups.map((group) => `    ${JSON.stringify(group)}: ${members}`),
    "",
  ].join("\n");
}

/** The extra variables. Ansible takes what is not marked as unsafe for templates of its own. */
export function toVariables({ extraVars }: AnsibleFiles, context: StageContext): string {
  const toYaml = (value: Json): string => {
    if (isList(value)) return `[${value.map(toYaml).join(", ")}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const { $secret } = value;
    if (typeof $secret === "string") return toUnsafe(context.secret({ $secret }));
    const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}: ${toYaml(inner)}`);
    return `{${entries.join(", ")}}`;
  };
  return `${toYaml(extraVars)}\n`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** JSON's strings are YAML's, too. */
function toUnsafe(value: string): string {
  return `!unsafe ${JSON.stringify(value)}`;
}
