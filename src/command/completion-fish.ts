import type { CommandWords, OptionWords, Value } from "./completion-words.ts";

/** Conditions hold by the words before the cursor, as a function in the script finds them. */
export function toFish(commands: readonly CommandWords[]): string {
  const names = commands.map(({ path }) => path).filter((path) => path !== "");
  return `# Completion of imgspec for fish, written by: imgspec completion fish
function __imgspec_at
    set -l at ''
    for word in (commandline -opc)[2..-1]
        set -l longer (string trim -- "$at $word")
        contains -- $longer ${names.map(quote).join(" ")}
        and set at $longer
    end
    test "$at" = "$argv[1]"
end

complete -c imgspec -f
${commands.flatMap(toLines).join("\n")}
`;
}

function toLines({ path, commands, options, operands }: CommandWords): readonly string[] {
  const start = `complete -c imgspec -n ${quote(`__imgspec_at ${quote(path)}`)}`;
  return [
    ...commands.map(({ name, description }) => `${start} -a ${name} -d ${quote(description)}`),
    ...operands.flatMap(({ value }) => (value.kind === "free" ? [] : [`${start} ${toAction(value)}`])),
    ...options.map((option) => `${start} ${toOption(option)}`),
  ];
}

function toOption({ names, description, value }: OptionWords): string {
  const flags = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  return [...flags, ...(value ? ["-r", toAction(value)] : []), "-d", quote(description)].join(" ");
}

function toAction(value: Value): string {
  if (value.kind === "choices") return `-f -a ${quote(value.choices.join(" "))}`;
  if (value.kind === "folder") return "-f -a '(__fish_complete_directories)'";
  return value.kind === "file" ? "-F" : "-f";
}

function quote(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
