import type { CommandWords, Value } from "./completion-words.ts";

/** Works with the bash 3.2 of macOS too. Files are left to readline, which knows how to quote them. */
export function toBash(commands: readonly CommandWords[]): string {
  const names = commands.map(({ path }) => path).filter((path) => path !== "");
  return `# Completion of imgspec for bash, written by: imgspec completion bash
_imgspec() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} at= word index
  COMPREPLY=()
  # Bash parts --output=json into three words.
  if [ "$current" = "=" ]; then
    current=
  elif [ "$previous" = "=" ]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${at:+$at }\${COMP_WORDS[index]}
    case $word in
      ${names.map((name) => toWord(name)).join(" | ")}) at=$word ;;
    esac
  done
  case $at:$previous in
${commands.flatMap(toOptionCases).join("\n")}
  esac
  case $at:$current in
${commands.map(({ path, options }) => toCase(`${toWord(path)}:-*`, offer(options.flatMap(({ names: all }) => all)))).join("\n")}
${commands.map((command) => toCase(`${toWord(command.path)}:*`, toOperandOffer(command))).join("\n")}
  esac
}
complete -o default -F _imgspec imgspec
`;
}

function toWord(path: string): string {
  return `"${path}"`;
}

function toOptionCases({ path, options }: CommandWords): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value === undefined) return [];
    return [toCase(names.map((name) => `"${path}:${name}"`).join(" | "), `${offerValue(value)}; return`)];
  });
}

function toCase(pattern: string, action: string): string {
  return `    ${pattern}) ${action} ;;`;
}

/** Where operands differ, all are offered: which one is typed is not counted. */
function toOperandOffer({ commands, operands }: CommandWords): string {
  if (commands.length > 0) return offer(commands.map(({ name }) => name));
  const choices = operands.flatMap(({ value }) => (value.kind === "choices" ? value.choices : []));
  if (choices.length > 0) return offer(choices);
  return operands.some(({ value }) => value.kind === "file") ? files : nothing;
}

function offerValue(value: Value): string {
  if (value.kind === "choices") return offer(value.choices);
  if (value.kind === "folder") return "compopt -o dirnames +o default 2>/dev/null";
  return value.kind === "file" ? files : nothing;
}

const files = ":";
const nothing = "compopt +o default 2>/dev/null";

function offer(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W '${words.join(" ")}' -- "$current"))`;
}
