import type { Argument, Command, Option } from "commander";

/** What may stand where a value is meant. */
export type Value =
  | { readonly kind: "choices"; readonly choices: readonly string[] }
  | { readonly kind: "file" | "folder" | "free" };

export type OptionWords = {
  /** `-o` and `--output`. */
  readonly names: readonly string[];
  readonly description: string;
  /** Absent: it takes none. */
  readonly value: Value | undefined;
  readonly isRepeatable: boolean;
};

/** The words that a command takes, for completion. */
export type CommandWords = {
  /** The words that lead to it, without the program's own: empty for the program, `cert create`. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly OptionWords[];
  readonly operands: readonly {
    readonly name: string;
    readonly value: Value;
    readonly isVariadic: boolean;
  }[];
};

/** Every command of a program, each before those below it. */
export function toWordTree(program: Command): readonly CommandWords[] {
  return [...commandsOf(program, [])];
}

function* commandsOf(command: Command, path: readonly string[]): Generator<CommandWords, void> {
  const help: OptionWords = {
    names: ["-h", "--help"],
    description: "print help",
    value: undefined,
    isRepeatable: false,
  };
  yield {
    path: path.join(" "),
    description: command.description(),
    commands: command.commands.map((inner) => ({ name: inner.name(), description: inner.description() })),
    options: [...command.options.filter(({ hidden }) => !hidden).map(toOption), help],
    operands: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      value: toValue(argument, argument.name()),
      isVariadic: argument.variadic,
    })),
  };
  for (const inner of command.commands) yield* commandsOf(inner, [...path, inner.name()]);
}

function toOption(option: Option): OptionWords {
  const { short, long, description, flags } = option;
  return {
    names: [short, long].flatMap((name) => name ?? []),
    description,
    value: option.isBoolean() || option.negate ? undefined : toValue(option, flags),
    isRepeatable: description.includes("(repeatable)"),
  };
}

/** The placeholder says what is meant: `<path>`, `[manifest]`. */
function toValue({ argChoices }: Option | Argument, placeholder: string): Value {
  if (argChoices) return { kind: "choices", choices: argChoices };
  if (/\bdirectory\b/.test(placeholder)) return { kind: "folder" };
  const isFile = /\b(path|files?|spec|manifest|image)\b/.test(placeholder.replace(/^.* (?=[<[])/, ""));
  return { kind: isFile ? "file" : "free" };
}
