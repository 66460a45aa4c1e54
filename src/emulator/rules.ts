import { AwsFault } from "./fault.ts";

/** What a test may force upon an action. `cut` loses the request, `cut-after` carries it out and loses the answer. */
export type Disturbance =
  | { readonly kind: "slow"; readonly milliseconds: number }
  | { readonly kind: "cut" }
  | { readonly kind: "cut-after" }
  | { readonly kind: "fault"; readonly fault: AwsFault };

type Rule = {
  readonly action: string;
  readonly region: string | undefined;
  readonly fault: string;
  times: number;
};

const slowMs = 2_000;

/** Forced faults, denied actions, and how often each action was called. */
export class Rules {
  #rules: Rule[] = [];
  readonly #denied = new Set<string>();
  readonly #calls = new Map<string, number>();

  /** `fault` is an error code of AWS, `500`, `slow`, `slow:MILLISECONDS`, `cut` or `cut-after`. */
  fail(action: string, fault: string, options: { times?: number; region?: string } = {}): void {
    this.#rules.push({ action, fault, region: options.region, times: options.times ?? 1 });
  }

  /** `action` as IAM names it: `ec2:RunInstances`, or short `RunInstances`. */
  deny(action: string): void {
    this.#denied.add(action.slice(action.indexOf(":") + 1));
  }

  allow(action: string): void {
    this.#denied.delete(action.slice(action.indexOf(":") + 1));
  }

  isDenied(action: string): boolean {
    return this.#denied.has(action);
  }

  calls(action: string): number {
    return this.#calls.get(action) ?? 0;
  }

  /** Counts the call, and uses up the oldest rule that meets it. */
  meet(action: string, region: string): Disturbance | undefined {
    this.#calls.set(action, this.calls(action) + 1);
    const rule = this.#rules.find(
      (one) => one.action === action && (one.region === undefined || one.region === region),
    );
    if (!rule) return undefined;
    rule.times -= 1;
    this.#rules = this.#rules.filter((one) => one.times > 0);
    return toDisturbance(rule.fault);
  }
}

function toDisturbance(fault: string): Disturbance {
  if (fault === "cut" || fault === "cut-after") return { kind: fault };
  if (fault === "slow") return { kind: "slow", milliseconds: slowMs };
  if (fault.startsWith("slow:")) return { kind: "slow", milliseconds: Number(fault.slice("slow:".length)) };
  if (fault === "500")
    return { kind: "fault", fault: new AwsFault("InternalError", "An internal error has occurred") };
  return {
    kind: "fault",
    fault: new AwsFault(fault, messages[fault] ?? "The request cannot be met at this time."),
  };
}

const messages: Readonly<Record<string, string>> = {
  InsufficientInstanceCapacity:
    "We currently do not have sufficient capacity in the Availability Zone you requested. Our system will be working on provisioning additional capacity.",
  RequestLimitExceeded: "Request limit exceeded.",
  SlowDown: "Please reduce your request rate.",
  ServiceUnavailable: "Please reduce your request rate.",
};
