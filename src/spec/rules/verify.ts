import type { Path } from "../../document/node.ts";
import { whyNoPattern } from "../../util/pattern.ts";
import type { Finding } from "../finding.ts";
import { type Rule, stepRule } from "./rule.ts";

/** What is looked for in the console output is a regular expression. */
export const consoleIsPattern: Rule = {
  needs: [["verify", "console"]],
  *find({ verify: { console } }) {
    if (console !== null) yield* patternFindings(console, ["verify", "console"]);
  },
};

/** What a check looks for in a file or an output is a regular expression. */
export const assertionsArePatterns: Rule = stepRule(function* ({ written: { check }, at }, { isRefused }) {
  const here = [...at, "check", "that"];
  if (!check || isRefused(here)) return;
  for (const [index, assertion] of check.that.entries()) {
    if (isRefused([...here, index])) continue;
    const { file, command } = assertion;
    for (const [kind, texts] of Object.entries({ file, command })) {
      const path = [...here, index, kind, "matches"];
      const matches = texts?.matches ?? null;
      if (matches !== null && !isRefused(path)) yield* patternFindings(matches, path);
    }
  }
});

function* patternFindings(text: string, at: Path): Iterable<Finding> {
  const why = whyNoPattern(text);
  if (why === undefined) return;
  const message = `"${text}" is not a regular expression: ${why}`;
  const hint = "put a backslash before . * + ? ( ) [ ] { } ^ $ | that mean themselves";
  yield { code: "pattern-wrong", at, message, hint };
}

/** Tests that are written are meant to be run. */
export const testsAreRun: Rule = {
  needs: [
    ["verify", "boot"],
    ["verify", "tests"],
    ["verify", "console"],
  ],
  *find({ verify: { boot, tests, console } }) {
    if (boot !== false || (tests.length === 0 && console === null)) return;
    const key = tests.length > 0 ? "tests" : "console";
    const message = `verify.${key} is not looked at, since verify.boot is false`;
    yield { code: "tests-unused", at: ["verify", key], on: "key", message, hint: "leave verify.boot out" };
  },
};
