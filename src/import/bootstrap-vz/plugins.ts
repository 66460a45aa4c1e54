import type { Options } from "../options.ts";
import type { Rebase } from "../paths.ts";
import type { Names } from "./names.ts";
import { toInstall } from "./packages.ts";
import { pluginReasons } from "./reasons.ts";
import { type Step, toHereDocument, toRootStep, toShellWord } from "./step.ts";

/** The steps that plugins stand for. What each does at its time in bootstrap-vz decides their order, not the manifest. */
export function toPluginSteps(plugins: Options | undefined, names: Names, rebase: Rebase): readonly Step[] {
  if (!plugins) return [];
  const [ntp] = plugins.blocks("ntp");
  const [copies] = plugins.blocks("file_copy");
  const [commands] = plugins.blocks("commands");
  const steps = [
    ...(ntp ? toNtp(ntp, names) : []),
    ...(copies ? toCopies(copies, names, rebase) : []),
    ...(commands ? toCommands(commands, names) : []),
  ];
  plugins.dropRest(pluginReasons);
  return steps;
}

/** What has to be answered before packages are installed. */
export function toDebconf(plugins: Options | undefined): readonly Step[] {
  const selections = plugins?.raw("debconf")?.trimEnd().split("\n") ?? [];
  const isSecret = (line: string): boolean => /\spassword\s+\S/.test(line);
  if (selections.some(isSecret)) {
    const hint = "answer it in a shell step with a sensitive variable in its env";
    plugins?.leave("a password in debconf", ["the spec holds no secrets", hint]);
  }
  const open = selections.filter((line) => !isSecret(line));
  if (open.length === 0) return [];
  const [start, ...rest] = toHereDocument(open);
  return toRootStep([`debconf-set-selections ${start}`, ...rest]);
}

function toNtp(ntp: Options, names: Names): readonly Step[] {
  const servers = names.texts(ntp, "servers");
  const lines =
    servers.length === 0
      ? []
      : [
          "sed -i '/^server /d' /etc/ntp.conf",
          ...servers.map((name) => `echo ${toShellWord(`server ${name}`)} >> /etc/ntp.conf`),
        ];
  ntp.dropRest({});
  return [...toInstall(["ntp"]), ...toRootStep(lines)];
}

function toCopies(copies: Options, names: Names, rebase: Rebase): readonly Step[] {
  const directories = copies.blocks("mkdirs").flatMap((entry) => {
    const path = names.text(entry, "dir");
    if (path === undefined) return [];
    return [`mkdir -p ${toShellWord(path)}`, ...toRights(entry, path)];
  });
  const files = copies.blocks("files").flatMap((entry) => {
    const [from, to] = [names.text(entry, "src"), names.text(entry, "dst")];
    if (from === undefined || to === undefined) return [];
    return [{ upload: { from: rebase(from), to, sudo: true } }, ...toRootStep(toRights(entry, to))];
  });
  copies.dropRest({});
  return [...toRootStep(directories), ...files];
}

function toRights(entry: Options, path: string): readonly string[] {
  const commands = { permissions: "chmod", owner: "chown", group: "chgrp" };
  const lines = Object.entries(commands).flatMap(([option, command]) => {
    const value = entry.text(option);
    return value === undefined ? [] : [`${command} ${toShellWord(value)} ${toShellWord(path)}`];
  });
  entry.dropRest({});
  return lines;
}

/** Commands that bootstrap-vz runs on its own machine, mostly by chroot in the new system, at `{root}`. */
function toCommands(commands: Options, names: Names): readonly Step[] {
  const lines = commands.lists("commands").flatMap((words) => {
    const list = names.texts(words, "words");
    const line = list.length === 1 ? toScriptLine(list[0] ?? "") : toLine(list);
    if (line !== undefined) return [line];
    const hint = "send what it needs by an upload step, and run it in a shell step";
    words.leave("a command", ["it names paths outside of the new system", hint]);
    return [];
  });
  commands.dropRest({});
  return toRootStep(lines);
}

/** A single word is a line for the shell. */
function toScriptLine(line: string): string | undefined {
  return line.includes("{root}")
    ? inside(line.replaceAll(/\bchroot\s+["']?\{root\}["']?\s+/g, ""))
    : undefined;
}

function toLine([first, root, ...rest]: readonly string[]): string | undefined {
  if (first === "chroot" && root === "{root}") return rest.map(inside).map(toShellWord).join(" ");
  const words = [first ?? "", root ?? "", ...rest];
  const isOutside = words.slice(1).some((word) => word.startsWith("/") || word.startsWith("./"));
  if (isOutside || !words.some((word) => word.includes("{root}"))) return undefined;
  return words.map(inside).map(toShellWord).join(" ");
}

function inside(word: string): string {
  return word.replaceAll(/\{root\}\/?/g, "/");
}
