import { toPattern } from "../util/pattern.ts";

type Texts = { readonly contains: readonly string[]; readonly matches: string | null };

/** What the instance must be like: one of the keys is there, and what is null or empty is not asked. */
export type Assertion = {
  readonly file?: Texts & {
    readonly path: string;
    readonly type: string | null;
    readonly mode: string | null;
    readonly owner: string | null;
    readonly group: string | null;
  };
  readonly command?: Texts & {
    readonly run: string;
    readonly exitCode: number;
    readonly timeoutSeconds: number;
  };
  readonly package?: { readonly name: string; readonly version: string | null };
  readonly service?: {
    readonly name: string;
    readonly enabled: boolean | null;
    readonly running: boolean | null;
  };
  readonly port?: { readonly number: number; readonly protocol: "tcp" | "udp" };
  readonly user?: {
    readonly name: string;
    readonly uid: number | null;
    readonly groups: readonly string[];
    readonly home: string | null;
    readonly shell: string | null;
  };
  readonly group?: { readonly name: string; readonly gid: number | null };
  readonly mount?: {
    readonly path: string;
    readonly type: string | null;
    readonly options: readonly string[];
  };
  readonly process?: { readonly name: string };
  readonly kernelParameter?: { readonly name: string; readonly value: string };
  readonly not: boolean;
};

/** What the instance told of an assertion: by the name of the fact, its values in their order. */
export type Facts = { readonly [name: string]: readonly string[] | undefined };

/** What of an assertion does not hold, in words; `undefined` when all does. */
export function whyNot(assertion: Assertion, facts: Facts): string | undefined {
  const [subject, faults] = judge(assertion, facts);
  const unknown = faults.filter((fault) => fault === unreadable || facts["code"]?.[0] === "late");
  // What nobody could look at is neither so nor not so.
  if (assertion.not && unknown.length > 0) return `${subject}: ${unknown.join(", ")}`;
  if (assertion.not) return faults.length > 0 ? undefined : `${subject} is as it must not be`;
  return faults.length > 0 ? `${subject}: ${faults.join(", ")}` : undefined;
}

const unreadable = "it cannot be read";

type Judgement = readonly [subject: string, faults: readonly string[]];

function judge(assertion: Assertion, facts: Facts): Judgement {
  const {
    file,
    command,
    package: pack,
    service,
    port,
    user,
    group,
    mount,
    process,
    kernelParameter,
  } = assertion;
  if (file) return [`file ${file.path}`, fileFaults(file, facts)];
  if (command) return [`command "${firstLine(command.run)}"`, commandFaults(command, facts)];
  if (pack) return [`package ${pack.name}`, packageFaults(pack, facts)];
  if (service) return [`service ${service.name}`, serviceFaults(service, facts)];
  if (port) return [`port ${port.number}/${port.protocol}`, thereOr("nobody listens", facts)];
  if (user) return [`user ${user.name}`, userFaults(user, facts)];
  if (group) return [`group ${group.name}`, groupFaults(group, facts)];
  if (mount) return [`mount ${mount.path}`, mountFaults(mount, facts)];
  if (process) return [`process ${process.name}`, thereOr("none runs", facts)];
  return [
    `kernel parameter ${kernelParameter?.name}`,
    differs("it", kernelParameter?.value ?? null, parameterIn(facts)),
  ];
}

function fileFaults(file: NonNullable<Assertion["file"]>, facts: Facts): readonly string[] {
  if (!facts["there"]) return ["it does not exist"];
  const isLink = facts["link"] !== undefined && file.type === "link";
  const type = isLink ? "link" : facts["type"]?.[0];
  const octal = (mode: string | null | undefined): string | null => (mode ? mode.padStart(4, "0") : null);
  return [
    ...differs("it", file.type, type),
    ...differs("its mode", octal(file.mode), octal(facts["mode"]?.[0])),
    ...differs("its owner", file.owner, facts["owner"]?.[0]),
    ...differs("its group", file.group, facts["group"]?.[0]),
    ...textFaults(file, facts),
  ];
}

function commandFaults(command: NonNullable<Assertion["command"]>, facts: Facts): readonly string[] {
  const code = facts["code"]?.[0];
  if (code === "late") return [`it did not end within ${command.timeoutSeconds} s`];
  const said = facts["error"]?.at(-1);
  const faults = differs("its exit code", String(command.exitCode), code);
  return [
    ...faults.map((fault) => (said ? `${fault} (it said: ${said})` : fault)),
    ...textFaults(command, facts),
  ];
}

function textFaults({ contains, matches }: Texts, facts: Facts): readonly string[] {
  if (contains.length === 0 && matches === null) return [];
  if (!facts["read"]) return [unreadable];
  const lines = facts["text"] ?? [];
  const text = lines.join("\n");
  const size = lines.length === 1 ? "its one line" : `its ${lines.length} lines`;
  return [
    ...contains
      .filter((part) => !text.includes(part))
      .map((part) => `${size} do not hold ${JSON.stringify(part)}`),
    ...(matches === null ? [] : patternFaults(text, matches, size)),
  ].map((fault) => (lines.length === 1 ? fault.replace("do not", "does not") : fault));
}

function patternFaults(text: string, pattern: string, size: string): readonly string[] {
  try {
    return toPattern(pattern, { isMultiline: true }).test(text) ? [] : [`${size} do not match ${pattern}`];
  } catch (error) {
    return [`${size} cannot be held against ${pattern}: ${(error as Error).message}`];
  }
}

function packageFaults({ version }: NonNullable<Assertion["package"]>, facts: Facts): readonly string[] {
  const versions = facts["version"] ?? [];
  if (versions.length === 0) return ["it is not installed"];
  if (version === null) return [];
  const pattern = version.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const isIt = (found: string): boolean => new RegExp(`^${pattern}$`).test(found);
  return versions.some(isIt) ? [] : differs("its version", version, versions.join(" and "));
}

function serviceFaults(
  { enabled, running }: NonNullable<Assertion["service"]>,
  facts: Facts,
): readonly string[] {
  if (!facts["there"]) return ["there is none of this name"];
  const state = (name: string): boolean => facts[name] !== undefined;
  return [
    ...(enabled !== null && state("enabled") !== enabled ? [`it is ${enabled ? "not " : ""}enabled`] : []),
    ...(running !== null && state("running") !== running ? [`it ${running ? "does not run" : "runs"}`] : []),
  ];
}

function userFaults(user: NonNullable<Assertion["user"]>, facts: Facts): readonly string[] {
  const entry = facts["entry"]?.[0];
  if (entry === undefined) return ["there is none of this name"];
  const [, , uid, , , home, shell] = entry.split(":");
  const groups = facts["groups"]?.[0]?.split(" ") ?? [];
  return [
    ...differs("the uid", user.uid === null ? null : String(user.uid), uid),
    ...differs("the home", user.home, home),
    ...differs("the shell", user.shell, shell),
    ...user.groups.filter((group) => !groups.includes(group)).map((group) => `not in the group ${group}`),
  ];
}

function groupFaults({ gid }: NonNullable<Assertion["group"]>, facts: Facts): readonly string[] {
  const entry = facts["entry"]?.[0];
  if (entry === undefined) return ["there is none of this name"];
  return differs("the gid", gid === null ? null : String(gid), entry.split(":")[2]);
}

function mountFaults({ type, options }: NonNullable<Assertion["mount"]>, facts: Facts): readonly string[] {
  // The last is on top.
  const [found, has = ""] = facts["mount"]?.at(-1)?.split(" ") ?? [];
  if (found === undefined) return ["nothing is mounted there"];
  const missing = options.filter((option) => !has.split(",").includes(option));
  return [
    ...differs("the type", type, found),
    ...missing.map((option) => `it lacks the option ${option} (it has ${has})`),
  ];
}

function parameterIn(facts: Facts): string | undefined {
  return facts["value"]?.[0]?.trim().replaceAll(/\s+/g, " ");
}

function thereOr(fault: string, facts: Facts): readonly string[] {
  return facts["there"] ? [] : [fault];
}

function differs(what: string, expected: string | null, found: string | null | undefined): readonly string[] {
  if (expected === null || expected === found) return [];
  return [`${what} is ${found ?? "unknown"}, not ${expected}`];
}

function firstLine(text: string): string {
  const [first = "", ...rest] = text.trim().split("\n");
  return rest.length > 0 || first.length > 60 ? `${first.slice(0, 60)}…` : first;
}
