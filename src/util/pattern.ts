import { createRequire } from "node:module";
import type { RE2JS } from "re2js";

/** A regular expression that somebody wrote into a spec: RE2's, whose time grows with the text and no faster. */
export type Pattern = {
  /** Throws an Error where the text is too long for so large a pattern. */
  readonly test: (text: string) => boolean;
};

const maxCharacters = 1000;

/** Of the compiled pattern, one for each character or class, repeated as `{n}` says. */
const maxInstructions = 1500;

/** Instructions times characters: what takes three seconds at worst. All of a console output (64 KiB) is within it. */
const maxSteps = 100_000_000;

/** What many know from other engines and would look for. */
const absent: readonly (readonly [RegExp, string])[] = [
  [/^(?:\\\\|[^\\])*?\(\?<?[=!]/s, "look-ahead and look-behind, (?=…) and the like, are not in RE2"],
  [/^(?:\\\\|[^\\]|\\[^1-9k])*?\\(?:[1-9]|k<)/s, "back-references, \\1 and the like, are not in RE2"],
  [/^(?:\\\\|[^\\])*?(?:\(\?>|[*+?}]\+)/s, "atomic groups and possessive repetition are not in RE2"],
  [/\\u/, "\\u… is not in RE2: write \\x{…}"],
];

const made = new Map<string, Pattern>();

/** `isMultiline`: `^` and `$` stand for the ends of each line. Throws an Error that says what is wrong with it. */
export function toPattern(
  source: string,
  { isMultiline = false }: { readonly isMultiline?: boolean } = {},
): Pattern {
  const key = `${isMultiline} ${source}`;
  const pattern = made.get(key) ?? compile(source, isMultiline);
  made.set(key, pattern);
  return pattern;
}

/** What keeps a text from being a pattern, or `undefined`. */
export function whyNoPattern(source: string): string | undefined {
  try {
    toPattern(source);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function compile(source: string, isMultiline: boolean): Pattern {
  if (source.length > maxCharacters) throw new Error(`it has more than ${maxCharacters} characters`);
  const compiled = parse(source, isMultiline);
  const instructions = compiled.programSize();
  if (instructions > maxInstructions) throw new Error("its repetitions make it too large");
  return {
    test: (text) => {
      if (text.length * instructions > maxSteps)
        throw new Error(`a text of ${text.length} characters is too long for so large a pattern`);
      return compiled.test(text);
    },
  };
}

function parse(source: string, isMultiline: boolean): RE2JS {
  const { RE2JS: engine } = load();
  try {
    return engine.compile(source, isMultiline ? engine.MULTILINE : 0);
  } catch (cause) {
    const { error = "it cannot be read", input = "" } = cause as { error?: string; input?: string };
    const known = absent.find(([form]) => form.test(source))?.[1];
    throw new Error(known ?? (input === "" ? error : `${error}: ${input}`), { cause });
  }
}

/** Most specs have no pattern, and this takes as long as all else that is read of a small one. */
function load(): typeof import("re2js") {
  return createRequire(import.meta.url)("re2js");
}
