import { Problem } from "../problem.ts";
import type { Fault, Rule } from "./fault.ts";
import { accountRules, clockSkewed, isSkewed } from "./fault-account.ts";
import { bucketRules } from "./fault-bucket.ts";
import { certificateRules } from "./fault-certificate.ts";
import { computeRules } from "./fault-compute.ts";
import { networkRules } from "./fault-network.ts";

/** The one table from the error codes of AWS and of Node to problems. */
const rules: ReadonlyMap<string, Rule> = new Map(
  [accountRules, bucketRules, certificateRules, computeRules, networkRules]
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

/** What each problem was made of, for the code that has to tell one refusal from another. */
const faults = new WeakMap<Problem, Fault>();

/** The Problem that a fault is, with name, message and stack of the SDK's error as its cause. */
export function toProblem(fault: Fault, cause: unknown): Problem {
  const rule = isSkewed(fault) ? clockSkewed : (rules.get(fault.code) ?? unlisted);
  const problem = new Problem(rule.problem, rule.message(fault), {
    hint: rule.hint(fault),
    cause: withoutExchange(cause),
  });
  faults.set(problem, fault);
  return problem;
}

/** The SDK's error holds the whole exchange, session token and all, and whoever prints a cause would print that. */
function withoutExchange(cause: unknown): unknown {
  if (!(cause instanceof Error)) return cause;
  const bare = new Error(cause.message);
  return Object.assign(bare, { name: cause.name, stack: cause.stack ?? bare.stack });
}

/** The fault behind an error, if it is a Problem that AWS or the way there made. */
export function faultOf(error: unknown): Fault | undefined {
  return error instanceof Problem ? faults.get(error) : undefined;
}

/** Whether a later try may well succeed: throttling, a broken server, a broken or slow line. */
export function isPassing(error: unknown): boolean {
  return passingCodes.has(faultOf(error)?.code ?? "");
}

const passingCodes: ReadonlySet<string> = new Set(networkRules.flatMap(({ codes }) => codes));
