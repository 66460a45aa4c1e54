import { code, note, toTable } from "./markdown.mjs";
import { specAdvice } from "./spec-advice.mjs";

/** docs/reference/diagnostics.md, from the tables of codes in src/spec/diagnostics.ts. */
export function toDiagnosticsPage({ errorCodes, warningCodes }) {
  const table = (codes) =>
    toTable(
      ["code", "means", "what to do"],
      Object.entries(codes).map(([name, meaning]) => [code(name), meaning, adviceFor(name)]),
    );
  return `${note}

# Diagnostics

What can be wrong with a spec. All of it is told at once, each with file, line and column, an excerpt and, where there is
something to do, a hint. Codes are stable; \`imgspec validate image.yaml --output json\` prints them for scripts.

## Errors

They end the command with [exit code](../exit-codes.md) 3, and nothing was created.

${table(errorCodes)}

## Warnings

${table(warningCodes)}
`;
}

function adviceFor(name) {
  const advice = specAdvice[name];
  if (advice === undefined) throw new Error(`docs/generate/spec-advice.mjs says nothing of ${name}`);
  return advice;
}
