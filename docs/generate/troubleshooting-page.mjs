import { failureAdvice, otherAdvice } from "./failure-advice.mjs";
import { code, note } from "./markdown.mjs";

/** docs/reference/troubleshooting.md: for each code of a failure what it means, what it ends with, and what to do. */
export function toTroubleshootingPage({ problemCodes, exitCodeOf }) {
  const known = problemCodes.map((name) => toEntry(name, adviceFor(name), toEnd(exitCodeOf(name))));
  const others = Object.entries(otherAdvice).map(([name, advice]) => toEntry(name, advice, ""));
  return `${note}

# When something fails

Every failure has a code: on the line of the task in the output, in \`failures[].code\` of
[imgspec-result.json](../output.md#the-result-file), and in the events. Codes are stable, the wording of messages is not. Each
failure says itself what to do, in its hint; this page says it in general.

- What was created is given back after a failure. To look at the instance, build with \`--on-failure keep\`; \`imgspec clean RUN\` gives it back later.
- Most things can be tried without AWS and without cost: \`imgspec build image.yaml --emulate\`.
- What the commands end with: [exit codes](../exit-codes.md).

## Mistakes in a spec

They are told before anything is created, all at once, and have codes of their own: [diagnostics](diagnostics.md) has each with
what to do.

## Failures

${known.join("\n\n")}

## Other codes

${others.join("\n\n")}
`;
}

function adviceFor(name) {
  const advice = failureAdvice[name];
  if (!advice) throw new Error(`docs/generate/failure-advice.mjs says nothing of ${name}`);
  return advice;
}

function toEnd(exitCode) {
  return exitCode === undefined
    ? " The [exit code](../exit-codes.md) is that of the stage in which it happens."
    : ` Exit code ${exitCode}.`;
}

function toEntry(name, [means, advice], end) {
  return `### ${code(name)}\n\n${means}${end}\n\n${advice}`;
}
