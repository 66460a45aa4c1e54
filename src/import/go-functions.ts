import { type Piece, quoteCel, toVariableName } from "./pieces.ts";
import { fromGoLayout, rfc3339, toTimeCel } from "./time-layout.ts";

export type Value = Piece;

/** What the functions of a template see. */
export type World = {
  /** Of the builder: what `build_name` is. */
  readonly builder: string;
  /** `{{.Name}}`. */
  readonly fields: Readonly<Record<string, Value>>;
  /** The variables that are declared, by the template's own names. */
  readonly variables: ReadonlySet<string>;
  /** Those that are lists, by their names in the spec. */
  readonly lists: ReadonlySet<string>;
  /** Those that are numbers, or true or false, by their names in the spec. */
  readonly plain: ReadonlySet<string>;
  /** Told of each environment variable and each variable that is used, by its name in the spec. */
  readonly used: { readonly environment: Set<string>; readonly variables: Set<string> };
};

type Result = Value | { readonly why: string };
type Call = (given: readonly Value[], world: World) => Result;

/** Calls a function of Packer's template language (https://developer.hashicorp.com/packer/docs/templates/legacy_json_templates/engine). */
export function call(name: string, given: readonly Value[], world: World): Result {
  const known = functions[name];
  return known ? known(given, world) : { why: `imgspec has nothing like {{${name}}}` };
}

const functions: Readonly<Record<string, Call>> = {
  user: ([name], world) => {
    const known = textOf(name);
    if (known === undefined) return { why: "the name of the variable is computed" };
    if (!world.variables.has(known)) return { why: `the template declares no variable "${known}"` };
    world.used.variables.add(toVariableName(known));
    return { cel: `vars.${toVariableName(known)}` };
  },
  env: ([name], world) => {
    const known = textOf(name);
    if (known === undefined || toVariableName(known) !== known)
      return { why: "no such name of an environment variable" };
    world.used.environment.add(known);
    return { cel: `env.${known}` };
  },
  timestamp: () => ({ cel: toTimeCel("%Y%m%d%H%M%S") }),
  isotime: ([layout]) => atTime(layout),
  strftime: ([pattern]) => {
    const known = textOf(pattern);
    return known !== undefined && !/%[^YmdHMS%]/.test(known)
      ? { cel: toTimeCel(known) }
      : { why: "imgspec knows %Y %m %d %H %M %S only" };
  },
  uuid: () => ({ cel: "build.id" }),
  build_name: (_given, { builder }) => ({ text: builder }),
  build_type: () => ({ text: "amazon-instance" }),
  // Relative paths of a spec are relative to it, as those of the template then are.
  template_dir: () => ({ text: "." }),
  pwd: () => ({ text: "." }),
  upper: ([value]) => map(value, (text) => text.toUpperCase(), "upperAscii()"),
  lower: ([value]) => map(value, (text) => text.toLowerCase(), "lowerAscii()"),
  title: () => ({ why: "imgspec has nothing like {{title}}" }),
  clean_resource_name: ([value]) => cleaned(value),
  clean_ami_name: ([value]) => cleaned(value),
  replace_all: ([from, to, value]) => replaced(from, to, value),
  replace: ([from, to, count, value]) =>
    textOf(count) === "-1"
      ? replaced(from, to, value)
      : { why: "imgspec replaces all that match, not the first ones" },
  split: ([value, separator, index]) => {
    const [by, at] = [textOf(separator), textOf(index)];
    if (value === undefined || by === undefined || at === undefined) return { why: "{{split}} is computed" };
    const text = textOf(value);
    if (text !== undefined) return { text: text.split(by)[Number(at)] ?? "" };
    return { cel: `${celOf(value)}.split(${quoteCel(by)})[${at}]` };
  },
  build: ([name]) =>
    textOf(name) === "SourceAMIName" || textOf(name) === "SourceAMI"
      ? { why: "what is known of the source AMI is no value of a spec" }
      : { why: `imgspec has no value for {{build \`${textOf(name) ?? ""}\`}}` },
};

/** `{{isotime}}`, with a layout or without. */
function atTime(layout: Value | undefined): Result {
  if (layout === undefined) return { cel: toTimeCel(rfc3339) };
  const text = textOf(layout);
  const pattern = text === undefined ? undefined : fromGoLayout(text);
  return pattern === undefined
    ? { why: "imgspec writes times in numbers only: %Y %m %d %H %M %S" }
    : { cel: toTimeCel(pattern) };
}

/** What EC2 does not take in the name of an AMI, Packer makes a `-`; imgspec says so instead. */
function cleaned(value: Value | undefined): Result {
  if (value === undefined) return { why: "there is nothing to clean" };
  const text = textOf(value);
  if (text !== undefined) return { text: text.replaceAll(/[^A-Za-z0-9()[\] ./'@_-]/g, "-") };
  return { cel: celOf(value).startsWith("build.now") ? cleanTime(celOf(value)) : celOf(value) };
}

function cleanTime(cel: string): string {
  return cel.replaceAll(":", "-");
}

function replaced(from: Value | undefined, to: Value | undefined, value: Value | undefined): Result {
  const [before, after] = [textOf(from), textOf(to)];
  if (before === undefined || after === undefined || value === undefined)
    return { why: "what is replaced is computed" };
  return map(
    value,
    (text) => text.replaceAll(before, () => after),
    `replace(${quoteCel(before)}, ${quoteCel(after)})`,
  );
}

function map(value: Value | undefined, change: (text: string) => string, method: string): Result {
  if (value === undefined) return { why: "an argument is missing" };
  return "text" in value ? { text: change(value.text) } : { cel: `${value.cel}.${method}` };
}

function textOf(value: Value | undefined): string | undefined {
  return value && "text" in value ? value.text : undefined;
}

function celOf(value: Value): string {
  return "text" in value ? quoteCel(value.text) : value.cel;
}
