import { Problem } from "../problem.ts";
import { faultCodeOf as codeOf, type Fault, type Rule } from "./fault.ts";
import { accountRules, clockSkewed, isSkewed } from "./fault-account.ts";
import { bucketRules } from "./fault-bucket.ts";
import { computeRules } from "./fault-compute.ts";
import { networkRules } from "./fault-network.ts";

/** The one table from the error codes of AWS and of Node to problems. */
const rules: ReadonlyMap<string, Rule> = new Map(
  [accountRules, bucketRules, computeRules, networkRules]
    .flat()
    .flatMap((rule) => rule.codes.map((code) => [code, rule] as const)),
);

/** What the table does not know is told as AWS told it. */
const unlisted: Rule = {
  codes: [],
  problem: "aws-fault",
  message: ({ service, operation, account, code, message }) =>
    `${service} ${operation} failed in ${account.region}: ${code}: ${message}`,
  hint: ({ requestId }) =>
    requestId === undefined ? undefined : `AWS support finds this by request id ${requestId}`,
};

/** The Problem that a fault is, with the SDK's error kept as its cause. */
export function toProblem(fault: Fault, cause: unknown): Problem {
  const rule = isSkewed(fault) ? clockSkewed : (rules.get(fault.code) ?? unlisted);
  return new Problem(rule.problem, rule.message(fault), { hint: rule.hint(fault), cause });
}

/** The error code of AWS or of Node behind a Problem, or `undefined` when there is none. */
export function faultCodeOf(error: unknown): string | undefined {
  const cause = error instanceof Problem ? error.cause : undefined;
  return cause === undefined ? undefined : codeOf(cause);
}

/** Whether a later try may well succeed: throttling, a broken server, a broken or slow line. */
export function isPassing(error: unknown): boolean {
  return passingCodes.has(faultCodeOf(error) ?? "");
}

const passingCodes: ReadonlySet<string> = new Set(networkRules.flatMap(({ codes }) => codes));
