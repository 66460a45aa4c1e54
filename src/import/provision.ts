import type { PlainValue } from "../document/node.ts";
import { ansibleReasons, toAnsibleStep, toBreakpoint } from "./ansible.ts";
import { toTimeout } from "./launch-sections.ts";
import { otherProvisioner } from "./not-carried.ts";
import { Options, type Reading, type Reason } from "./options.ts";
import type { Rebase } from "./paths.ts";
import { type Step, toShort, withoutSecrets } from "./step.ts";
import type { Block } from "./template.ts";

/** The steps of a spec that a provisioner is: one for each of its scripts. */
export function toSteps(block: Block, reading: Reading, rebase: Rebase): readonly Step[] {
  const toOwn = kinds[block.type];
  if (!toOwn) {
    reading.leftovers.push(otherProvisioner(block.type, block.place));
    return [];
  }
  const options = new Options(block.options, `provisioner "${block.type}"`, reading);
  const [before, after] = [toTimeout(options, "pause_before"), toTimeout(options, "pause_after")];
  const steps = toOwn(options, rebase);
  options.dropRest(block.type === "ansible" ? ansibleReasons : reasons);
  const pause = (duration: string | undefined): readonly Step[] =>
    duration === undefined ? [] : [{ local: `sleep ${toSeconds(duration)}` }];
  return [...pause(before), ...steps, ...pause(after)];
}

const kinds: Readonly<Record<string, (options: Options, rebase: Rebase) => readonly Step[]>> = {
  shell: toShell,
  file: toTransfer,
  "shell-local": toLocal,
  ansible: toAnsibleStep,
  breakpoint: toBreakpoint,
};

const reasons: Readonly<Record<string, Reason>> = {
  binary: ["scripts are sent as they are"],
  expect_disconnect: [
    "scripts survive a lost connection, but not a restart of the instance",
    "put a reboot step behind the script, in place of its own restart",
  ],
  remote_folder: ["scripts are kept in a directory of the build's own"],
  remote_file: ["scripts are kept in a directory of the build's own"],
  remote_path: ["scripts are kept in a directory of the build's own"],
  remote_env_var_path: ["variables reach the script on its standard input"],
  use_env_var_file: ["variables reach the script on its standard input"],
  env_var_format: ["variables reach the script on its standard input"],
  skip_clean: ["what the build left on the instance is taken away"],
  start_retry_timeout: ["imgspec retries a lost connection by itself"],
  tempfile_extension: ["the command line is given to the shell as it is"],
  use_linux_pathing: ["imgspec runs on Linux and macOS"],
  only_on: ["imgspec runs on Linux and macOS"],
  generated: ["files are looked for when a step needs them"],
  content: ["a file is sent, not a text", "write it into a file, or use a shell step with cat"],
};

/** Packer's default runs what is inline by `/bin/sh -e`; imgspec's would end at a variable that is not set, too. */
function toInline(lines: readonly string[], shebang: string | undefined): string {
  const text = `${lines.join("\n")}\n`;
  if (shebang !== undefined) return `#!${shebang}\n${text}`;
  return /\$(?!\{\{)/.test(text) && !text.startsWith("#!") ? `#!/bin/sh -e\n${text}` : text;
}

function toShell(options: Options, rebase: Rebase): readonly Step[] {
  const inline = options.lines("inline");
  const files = options.texts("script", "scripts");
  const shebang = options.text("inline_shebang");
  const common = {
    env: toEnv(options, inline.join("\n")),
    sudo: isSudo(options) || undefined,
    timeout: toTimeout(options, "timeout"),
    retries: options.number("max_retries") || undefined,
    exitCodes: toExitCodes(options),
  };
  const texts = inline.length > 0 ? [{ inline: toInline(inline, shebang) }] : [];
  const scripts = files.map((file) => ({ file: rebase(file) }));
  return [...texts, ...scripts].map((what) => ({ shell: toShort({ ...what, ...common }, "file") }));
}

function toEnv(options: Options, text: string): { [key: string]: PlainValue } | undefined {
  const env: { [key: string]: PlainValue } = {};
  const { builder } = options.reading.world;
  // Packer sets these for every script.
  if (text.includes("PACKER_BUILD_NAME")) env["PACKER_BUILD_NAME"] = builder;
  if (text.includes("PACKER_BUILDER_TYPE")) env["PACKER_BUILDER_TYPE"] = "amazon-instance";
  for (const line of options.texts("environment_vars")) {
    const [name = "", ...value] = line.split("=");
    env[name] = value.join("=").replace(/^(['"])(.*)\1$/s, "$2");
  }
  Object.assign(env, options.map("env"));
  return Object.keys(env).length > 0 ? withoutSecrets(env, options) : undefined;
}

function isSudo(options: Options): boolean {
  const command = options.raw("execute_command");
  if (command === undefined) return false;
  if (/\bsudo\b[^|;&]*\s-u\s+(?!root\b)\S+/.test(command)) {
    const hint = "call sudo -u in the script";
    options.leave("execute_command", ["a step runs as the login's user or as root", hint]);
    return false;
  }
  if (/\|.*\bsudo\b[^|;&]*\s-\w*S/.test(command)) {
    const hint = "set connect.sudoPassword to a sensitive variable";
    options.leave("execute_command", ["it gives sudo a password", hint]);
    return true;
  }
  const sudo = /\bsudo\b/.test(command);
  const rest = command
    .replaceAll(/\{\{[^}]*\}\}|\bsudo\b|\bchmod\s+\S+|\bsh\b|\bbash\b|\/bin\/|\benv\b|\s-\w+|[\s;'"&]/g, "")
    .replaceAll("-E", "");
  if (rest !== "" || /\bbash\b/.test(command)) {
    const hint = "say it in the script, whose #! line says what runs it";
    options.leave("execute_command", [
      sudo ? "only its sudo is kept" : "a script is run by its #! line",
      hint,
    ]);
  }
  return sudo;
}

function toExitCodes(options: Options): number[] | undefined {
  const codes = options.texts("valid_exit_codes").map(Number).filter(Number.isInteger);
  return codes.length > 0 && codes.join() !== "0" ? codes : undefined;
}

function toTransfer(options: Options, rebase: Rebase): readonly Step[] {
  const sources = options.texts("source", "sources");
  const destination = options.text("destination");
  const direction = options.text("direction") ?? "upload";
  if (destination === undefined) return [];
  if (direction === "download")
    return sources.map((from) => ({
      download: {
        from,
        to: rebase(destination.endsWith("/") ? `${destination}${baseOf(from)}` : destination),
      },
    }));
  return sources.map((source) => {
    const isInto = destination.endsWith("/") && !source.endsWith("/");
    return { upload: { from: rebase(source), to: isInto ? `${destination}${baseOf(source)}` : destination } };
  });
}

function baseOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}

function toLocal(options: Options, rebase: Rebase): readonly Step[] {
  const inline = options.lines("inline");
  const shebang = options.text("inline_shebang");
  const commands = [
    ...options.texts("command"),
    ...(inline.length > 0 ? [inline.length > 1 ? ["set -e", ...inline].join("\n") : (inline[0] ?? "")] : []),
    ...options.texts("script", "scripts").map((file) => toExecutable(rebase(file))),
  ];
  for (const name of ["execute_command", "valid_exit_codes", "max_retries"])
    options.drop(name, ["a local step is run by /bin/sh, and must end with 0", "say it in the command"]);
  if (shebang !== undefined)
    options.leave("inline_shebang", ["a local step is run by /bin/sh", "call a script"]);
  const timeout = toTimeout(options, "timeout");
  const env = toEnv(options, commands.join("\n"));
  return commands.map((command) => ({ local: toShort({ command, env, timeout }, "command") }));
}

function toExecutable(path: string): string {
  return path.includes("/") ? path : `./${path}`;
}

function toSeconds(duration: string): number {
  const unit = { s: 1, m: 60, h: 3600 }[duration.slice(-1)] ?? 1;
  return Number(duration.slice(0, -1)) * unit;
}
