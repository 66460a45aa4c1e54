import { code, note, plain, toSentence, toTable } from "./markdown.mjs";

/** docs/reference/cli.md, from commander's table of commands. */
export function toCliPage(program) {
  const commands = program.commands.flatMap((command) => leavesOf(command, [program.name()]));
  const rest = toRest(program).filter((paragraph) => !paragraph.text?.startsWith("Exit codes"));
  return `${note}

# Commands

${program.description()} What the commands end with: [exit codes](../exit-codes.md).

${rest.map(print).join("\n\n")}

Every command takes \`--help\`; \`imgspec --version\` prints the version.

${commands.map(toSection).join("\n\n")}
`;
}

/** The commands that do something, each with the words that lead to it. */
function leavesOf(command, before) {
  const path = [...before, command.name()];
  if (command.commands.length === 0) return [{ command, path }];
  return command.commands.flatMap((inner) => leavesOf(inner, path));
}

function toSection({ command, path }) {
  const words = command.registeredArguments.map((argument) => {
    const word = `${argument.name()}${argument.variadic ? "..." : ""}`;
    return argument.required ? `<${word}>` : `[${word}]`;
  });
  const parts = [
    `## ${path.join(" ")}`,
    code([...path, "[options]", ...words].join(" ")),
    plain(command.description()),
    toArguments(command),
    toOptions(command),
    ...toRest(command).map(print),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function toArguments({ registeredArguments }) {
  if (registeredArguments.length === 0) return "";
  const rows = registeredArguments.map((argument) => [
    code(argument.name()),
    plain(toSentence(argument.description)),
    toDefault(argument),
  ]);
  return toTable(["argument", "what it is", "default"], rows);
}

function toOptions(command) {
  const options = command.options.filter(({ hidden }) => !hidden);
  if (options.length === 0) return "";
  const flags = new Map(options.map((option) => [option.attributeName(), option.long]));
  const rows = options.map((option) => [
    code(option.flags),
    [toSentence(option.description), ...toLimits(option, flags)].map(plain).join(" "),
    toDefault(option),
  ]);
  return toTable(["option", "what it does", "default"], rows);
}

function toLimits({ argChoices, conflictsWith }, flags) {
  const others = conflictsWith.map((name) => code(flags.get(name) ?? name));
  return [
    ...(argChoices ? [`One of ${argChoices.map(code).join(", ")}.`] : []),
    ...(others.length > 0 ? [`Not together with ${others.join(" and ")}.`] : []),
  ];
}

function toDefault({ defaultValue, negate }) {
  const isNothing = defaultValue === undefined || (Array.isArray(defaultValue) && defaultValue.length === 0);
  return isNothing || negate ? "" : code(String(defaultValue));
}

/** What the help has after its lists: paragraphs, and examples. */
function toRest(command) {
  let shown = "";
  const before = command.configureOutput();
  command.configureOutput({
    ...before,
    writeOut: (text) => {
      shown += text;
    },
  });
  command.outputHelp();
  command.configureOutput(before);
  const after = shown.slice(shown.indexOf(command.helpInformation()) + command.helpInformation().length);
  return after
    .trim()
    .split(/\n\s*\n/)
    .filter((text) => text !== "")
    .map(toParagraph);
}

function toParagraph(text) {
  const [first = "", ...lines] = text.split("\n");
  if (!first.endsWith(":")) return { text: text.replace(/\s*\n\s*/g, " ") };
  return { title: first, commands: lines.map((line) => line.trim().replace(/ {3,}(?=\S)/, "   # ")) };
}

function print({ text, title, commands }) {
  if (text !== undefined) return plain(text);
  return `${title}\n\n\`\`\`sh\n${commands.join("\n")}\n\`\`\``;
}
