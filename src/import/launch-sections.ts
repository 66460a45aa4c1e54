import type { MapNode, PlainValue } from "../document/node.ts";
import { toDuration } from "./duration.ts";
import { Options } from "./options.ts";
import type { Rebase } from "./paths.ts";
import { toVariableName } from "./pieces.ts";

/** A section of a spec; absent keys are `undefined`. */
export type Section = { readonly [key: string]: PlainValue | undefined };

/** `source`, from `source_ami` or a search. */
export function toSource(options: Options, looked: MapNode | undefined): Section {
  const image = options.text("source_ami");
  const [inner] = options.blocks("source_ami_filter");
  const filter = inner ?? (looked && new Options(looked, "the data source", options.reading));
  if (image !== undefined) return { image };
  if (!filter) return {};
  const { name, "virtualization-type": virtualization, architecture, ...others } = filter.map("filters");
  const filters = Object.fromEntries(
    // imgspec looks for nothing else.
    Object.entries(others).filter(([key, value]) => key !== "root-device-type" || value !== "instance-store"),
  );
  const owners = filter.list("owners");
  const newest = filter.flag("most_recent");
  filter.drop("region", ["the search is made in the region of the image"]);
  filter.dropRest({});
  const find: Section = {
    name,
    owner: owners?.length === 1 ? owners[0] : owners,
    architecture,
    virtualization,
    newest: newest || undefined,
    filters: Object.keys(filters).length > 0 ? filters : undefined,
  };
  return { find: withoutAbsent(find) };
}

export function toLaunch(options: Options, rebase: Rebase): Section {
  const userDataFile = options.text("user_data_file");
  const inline = options.text("user_data");
  const [metadata] = options.blocks("metadata_options");
  const tokens = metadata?.text("http_tokens");
  metadata?.dropRest({
    http_endpoint: ["imgspec leaves it as the AMI or the account has it"],
    http_put_response_hop_limit: ["imgspec leaves it as the AMI or the account has it"],
    instance_metadata_tags: ["imgspec leaves it as the AMI or the account has it"],
  });
  const tags = options.map("run_tags", "run_tag");
  return {
    instanceTypes: options.list("instance_type", "spot_instance_types"),
    keyPair: options.text("ssh_keypair_name"),
    subnet: options.text("subnet_id"),
    securityGroups: options.list("security_group_id", "security_group_ids"),
    allowFrom: options.list("temporary_security_group_source_cidrs"),
    iamInstanceProfile: options.text("iam_instance_profile"),
    userData: inline ?? (userDataFile === undefined ? undefined : toFileCall(rebase(userDataFile))),
    metadataTokens: tokens,
    tags: Object.keys(tags).length > 0 ? tags : undefined,
  };
}

function toFileCall(path: string): string {
  return `\${{ file('${path.replaceAll("'", "\\'")}') }}`;
}

export function toConnect(options: Options, rebase: Rebase): Section {
  const communicator = options.text("communicator") ?? "ssh";
  if (communicator !== "ssh")
    options.leave("communicator", [`imgspec logs in by SSH, not by ${communicator}`]);
  const privateKey = options.text("ssh_private_key_file");
  return {
    user: options.text("ssh_username"),
    port: options.number("ssh_port"),
    address: toAddress(options),
    privateKey: privateKey === undefined ? undefined : rebase(privateKey),
    agent: options.flag("ssh_agent_auth") || undefined,
    password: toPassword(options, "ssh_password"),
    proxy: toProxy(options),
    bastions: toBastions(options, rebase),
    timeout: toTimeout(options, "ssh_timeout") ?? toTimeout(options, "ssh_wait_timeout"),
  };
}

function toAddress(options: Options): string | undefined {
  const by = options.text("ssh_interface");
  if (by === undefined || by.startsWith("public_")) return undefined;
  if (by.startsWith("private_")) return "private";
  const hint = "connect.address is public or private, and connect.bastions lead into a private network";
  options.leave("ssh_interface", [`imgspec cannot log in by ${by}`, hint]);
  return undefined;
}

/** A password stands in no spec: it becomes an expression, whose variable is sensitive. */
function toPassword(options: Options, name: string): string | undefined {
  const entry = options.take(name);
  if (!entry) return undefined;
  const value = entry.node.kind === "scalar" ? String(entry.node.value) : "";
  const [, variable] =
    /^(?:\{\{\s*user\s+[`"]([\w-]+)[`"]\s*\}\}|\$\{\{ vars\.(\w+) \}\})$/
      .exec(value)
      ?.filter((group) => group !== undefined) ?? [];
  if (variable === undefined && value !== "") {
    const hint = `give it by the environment: IMGSPEC_VAR_${name}`;
    options.leave(name, ["the spec holds no passwords, but a sensitive variable", hint]);
  }
  const used = toVariableName(variable ?? name);
  options.reading.world.used.variables.add(used);
  options.reading.passwords.add(used);
  return value === "" ? undefined : `\${{ vars.${used} }}`;
}

function toProxy(options: Options): PlainValue | undefined {
  const host = options.text("ssh_proxy_host");
  const port = options.number("ssh_proxy_port") ?? 1080;
  const user = options.text("ssh_proxy_username");
  const password = toPassword(options, "ssh_proxy_password");
  return host === undefined
    ? undefined
    : withoutAbsent({ url: `socks5://${host}:${String(port)}`, user, password });
}

function toBastions(options: Options, rebase: Rebase): PlainValue | undefined {
  const host = options.text("ssh_bastion_host");
  const port = options.number("ssh_bastion_port");
  const user = options.text("ssh_bastion_username");
  const key = options.text("ssh_bastion_private_key_file");
  const agent = options.flag("ssh_bastion_agent_auth");
  const noSuch = "imgspec logs in at a bastion with a key or the agent";
  options.drop("ssh_bastion_password", [noSuch, "connect.bastions[0].privateKey or agent"]);
  options.drop("ssh_bastion_interactive", [noSuch, "connect.bastions[0].privateKey or agent"]);
  options.drop("ssh_bastion_certificate_file", [noSuch, "connect.bastions[0].privateKey or agent"]);
  if (host === undefined) return undefined;
  const why = "Packer trusts whatever answers as the bastion; imgspec wants its host key";
  options.leave("ssh_bastion_host", [
    why,
    `set connect.bastions[0].hostKey to what ssh-keyscan ${host} prints`,
  ]);
  const privateKey = key === undefined ? undefined : rebase(key);
  return [withoutAbsent({ host, port, user, privateKey, agent: agent || undefined })];
}

/** A duration of Go's as one of a spec. */
export function toTimeout(options: Options, name: string): string | undefined {
  const text = options.text(name);
  if (text === undefined || text.startsWith("${{")) return text;
  const duration = toDuration(text);
  if (duration === undefined && !/^0[a-z]*$/.test(text)) options.leave(name, [`"${text}" is no duration`]);
  return duration;
}

export function withoutAbsent(section: Section): { [key: string]: PlainValue } {
  return Object.fromEntries(
    Object.entries(section).filter((entry): entry is [string, PlainValue] => entry[1] !== undefined),
  );
}
