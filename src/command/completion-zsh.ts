import type { CommandWords, OptionWords, Value } from "./completion-words.ts";

/** A function for each command, named as its words. */
export function toZsh(commands: readonly CommandWords[]): string {
  return `#compdef imgspec
# Completion of imgspec for zsh, written by: imgspec completion zsh
${commands.map(toFunction).join("\n")}
if [ "$funcstack[1]" = "_imgspec" ]; then
  _imgspec "$@"
else
  compdef _imgspec imgspec
fi
`;
}

function toFunction({ path, commands, options, operands }: CommandWords): string {
  const specs = [
    ...options.map(toOptionSpec),
    ...operands.map(({ name, value, isVariadic }, index) => {
      return quote(`${isVariadic ? "*" : index + 1}:${toLiteral(name)}:${toAction(value)}`);
    }),
  ];
  const name = functionOf(path);
  if (commands.length === 0) return `${name}() {\n  _arguments -s \\\n    ${specs.join(" \\\n    ")}\n}\n`;
  const described = commands.map((inner) => quote(`${inner.name}:${inner.description}`));
  const cases = commands.map((inner) => {
    return `        ${inner.name}) ${functionOf(path === "" ? inner.name : `${path} ${inner.name}`)} ;;`;
  });
  return `${name}() {
  local curcontext=$curcontext state line
  local -a commands
  commands=(
    ${described.join("\n    ")}
  )
  _arguments -C \\
    ${[...specs, "'1:command:->command'", "'*::argument:->argument'"].join(" \\\n    ")}
  case $state in
    command) _describe -t commands command commands ;;
    argument)
      case $line[1] in
${cases.join("\n")}
      esac ;;
  esac
}
`;
}

function functionOf(path: string): string {
  return `_imgspec${path === "" ? "" : `_${path.replaceAll(/[ -]/g, "_")}`}`;
}

/** `'(-o --output)'{-o,--output}'[how to print]:value:(text json)'`. */
function toOptionSpec({ names, description, value, isRepeatable }: OptionWords): string {
  const rest = `[${toLiteral(description)}]${value ? `:value:${toAction(value)}` : ""}`;
  return names
    .map((name) => {
      const excluded = isRepeatable ? "*" : `(${names.join(" ")})`;
      return quote(`${excluded}${name}${value && name.startsWith("--") ? "=" : ""}${rest}`);
    })
    .join(" \\\n    ");
}

function toAction(value: Value): string {
  if (value.kind === "choices") return `(${value.choices.join(" ")})`;
  if (value.kind === "folder") return "_files -/";
  return value.kind === "file" ? "_files" : " ";
}

/** What ends a part of a spec of _arguments. */
function toLiteral(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
