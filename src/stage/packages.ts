import { runScript } from "../machine/script.ts";
import { Problem } from "../problem.ts";
import type { LaunchedInstance } from "./launch.ts";
import { noManager, notAsAsked, packagesMark, packagesProgram } from "./packages-program.ts";
import { retrying } from "./shell.ts";
import type { Stage, StageContext } from "./stage.ts";
import { hold } from "./trust.ts";

const lists = ["install", "apt", "dnf", "yum", "zypper", "apk", "update", "remove"] as const;

/** Each list holds names of packages, in `install` and those of package managers also `name=version`. */
export type PackagesInput = { readonly [list in (typeof lists)[number]]: readonly string[] } & {
  readonly on: LaunchedInstance;
  readonly refresh: boolean;
  readonly recommends: boolean;
  readonly timeoutSeconds: number;
  readonly retries: number;
  readonly label: string;
};

/** Installs, updates and removes with the package manager that the instance has, and looks whether it is so afterwards. */
export const packages: Stage<PackagesInput, LaunchedInstance> = {
  kind: "provision.packages",
  title: "Install packages",
  exitCode: 5,
  run: async (input, context) => {
    await retrying(input, context, () => attempt(input, context));
    return input.on;
  },
};

type Heard = {
  manager: string;
  /** What the manager says it does not know. */
  readonly unknown: Set<string>;
  /** What it was content with, and is not there. */
  readonly missing: string[];
  /** What should have gone. */
  readonly left: string[];
};

async function attempt(input: PackagesInput, context: StageContext): Promise<void> {
  const heard: Heard = { manager: "", unknown: new Set(), missing: [], left: [] };
  await using held = hold(input.on, context);
  const { code, signal } = await runScript(held, {
    text: toPackagesProgram(input),
    env: {},
    sudo: true,
    workdir: "/",
    timeoutSeconds: input.timeoutSeconds,
    signal: context.signal,
    onLine: (line) => {
      if (!line.startsWith(`${packagesMark} `)) {
        for (const name of unknownIn(line)) heard.unknown.add(name);
        context.log(line);
      } else note(line.split(" ").slice(1), heard);
    },
  });
  if (code !== 0) throw toProblem(code, signal, heard, input.label);
}

/** The program that does it on the instance. */
export function toPackagesProgram(input: Omit<PackagesInput, "on">): string {
  const assign = (name: string, words: readonly string[]): string => {
    // They become words of a shell program.
    const odd = words.find((word) => !/^[\w@:.+*~^=/-]+$/.test(word) || word.startsWith("-"));
    if (odd !== undefined) throw new Problem("spec-invalid", `"${odd}" (${input.label}) is no package`);
    return `${name}='${words.includes("*") ? "*" : words.join(" ")}'`;
  };
  const flag = (name: string, on: boolean): string => `${name}=${on ? "1" : ""}`;
  return [
    "#!/bin/sh",
    ...lists.map((name) => assign(name, input[name])),
    flag("refresh", input.refresh),
    flag("recommends", input.recommends),
    packagesProgram,
  ].join("\n");
}

function note([what, name = ""]: readonly string[], heard: Heard): void {
  if (what === "manager") heard.manager = name;
  if (what === "missing") heard.missing.push(name);
  if (what === "left") heard.left.push(name);
}

/** What package managers say of names that they do not know, in English (the program sets LC_ALL). */
const complaints: readonly RegExp[] = [
  /^E: Unable to locate package (\S+)$/,
  /^E: Package '(\S+)' has no installation candidate$/,
  /^E: Couldn't find any package by (?:glob|regex) '(\S+)'$/,
  /^No package (\S+) available\.?$/,
  /^(?:Error: )?Unable to find a match: (.+)$/,
  /^No match for argument: (\S+)$/,
  /^(?:No provider of|Package) '(\S+)'(?: not)? found\.$/,
  /^ +(\S+) \(no such package\):$/,
];

function unknownIn(line: string): readonly string[] {
  const [, version, of] = /^E: Version '(\S+)' for '(\S+)' was not found$/.exec(line) ?? [];
  if (version !== undefined) return [`${of}=${version}`];
  const names = complaints.map((pattern) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
  return names?.split(" ") ?? [];
}

function toProblem(code: number | null, signal: string | null, heard: Heard, label: string): Problem {
  const { manager, unknown, missing, left } = heard;
  if (code === noManager) {
    return new Problem("command-failed", `the instance has no package manager that ${label} knows`, {
      hint: "it looks for dnf, yum, apt-get, zypper and apk; install with a shell step",
    });
  }
  if (unknown.size > 0) {
    return new Problem("command-failed", `${manager} does not know ${toList(unknown)} (${label})`, {
      hint: `is the repository that has it set up on the instance? a name that only ${manager} has goes under ${manager.replace("-get", "")}`,
    });
  }
  if (code === notAsAsked) {
    const parts = [
      ...(missing.length > 0 ? [`${toList(missing)} not installed`] : []),
      ...(left.length > 0 ? [`${toList(left)} not removed`] : []),
    ];
    return new Problem("command-failed", `${manager} left ${parts.join(", and ")} (${label})`, {
      hint: "what it said is among the last lines; a version that was asked for must be the one installed",
    });
  }
  const how = signal === null ? `exited with ${code}` : `was ended by SIG${signal}`;
  return new Problem("command-failed", `${manager} ${how} (${label})`, {
    hint: "what it said is among the last lines",
  });
}

function toList(names: Iterable<string>): string {
  return [...names].map((name) => `"${name}"`).join(", ");
}
