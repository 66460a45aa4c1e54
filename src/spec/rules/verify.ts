import type { Rule } from "./rule.ts";

/** What is looked for in the console output is a regular expression. */
export const consoleIsPattern: Rule = {
  needs: [["verify", "console"]],
  *find({ verify: { console } }) {
    if (console === null || isPattern(console)) return;
    const message = `"${console}" is not a regular expression`;
    const hint = "put a backslash before . * + ? ( ) [ ] { } ^ $ | that mean themselves";
    yield { code: "pattern-wrong", at: ["verify", "console"], message, hint };
  },
};

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

function isPattern(text: string): boolean {
  try {
    new RegExp(text, "mu");
    return true;
  } catch {
    return false;
  }
}
