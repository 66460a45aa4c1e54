import { code, note, toTable } from "./markdown.mjs";

/** docs/reference/diagnostics.md, from the tables of codes in src/spec/diagnostics.ts. */
export function toDiagnosticsPage({ errorCodes, warningCodes }) {
  const table = (codes) =>
    toTable(
      ["code", "means"],
      Object.entries(codes).map(([name, meaning]) => [code(name), meaning]),
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
