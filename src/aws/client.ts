import { Problem } from "../problem.ts";
import type { Account } from "./cloud.ts";
import { toFault } from "./fault.ts";
import { toProblem } from "./fault-problem.ts";
import type { Patience } from "./patience.ts";
import { toStopped } from "./stopped.ts";

/** One service of one account, and what its messages need to know. */
export type Link = {
  readonly client: object;
  readonly service: "EBS" | "EC2" | "IAM" | "S3" | "STS";
  readonly account: Account;
  readonly patience: Patience;
  /** Shared by the services of an account; filled in once somebody asked who the caller is. */
  readonly identity: { arn?: string };
};

export type CallOptions = {
  readonly signal: AbortSignal;
  /** What the request is about, for messages: `s3://bucket/key`, an id, a name. */
  readonly resource?: string;
  /** The IAM actions that it needs, where they are not `service:Operation`. */
  readonly actions?: readonly string[];
};

/** Any command of the SDK; its output is known only by what its handler promises. */
type AnyCommand = {
  readonly schema?: unknown;
  resolveMiddleware(...inputs: never): (...inputs: never) => Promise<{ readonly output: unknown }>;
};
type OutputOf<C extends AnyCommand> = Awaited<ReturnType<ReturnType<C["resolveMiddleware"]>>>["output"];
type Sender<C extends AnyCommand> = {
  send(command: C, options: { abortSignal: AbortSignal }): Promise<OutputOf<C>>;
};

/** Sends one command: the only place that does. The SDK retries. Rejects with Problems and nothing else. */
export async function call<C extends AnyCommand>(
  link: Link,
  command: C,
  options: CallOptions,
): Promise<OutputOf<C>> {
  const { signal } = options;
  // The clients' own `send` is generic over every command of one service, which no function for all of them can say.
  const sender = link.client as Sender<C>;
  try {
    signal.throwIfAborted();
    return await unlessAborted(sender.send(command, { abortSignal: signal }), signal);
  } catch (error) {
    throw toCallProblem(error, link, operationOf(command), options);
  }
}

/** The chunks of an answer that is still coming in. Ends with a Problem when the line breaks or the signal says so. */
export async function* translated(
  link: Link,
  chunks: AsyncIterable<Uint8Array>,
  options: CallOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal } = options;
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      signal.throwIfAborted();
      const { done, value } = await unlessAborted(iterator.next(), signal);
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw toCallProblem(error, link, "GetObject", options);
  } finally {
    // Not awaited: a source that is stuck would hold up whoever gave up on it.
    void iterator.return?.().catch(() => undefined);
  }
}

/** Longer than any answer takes, retries and all. */
const answerMs = 180_000;

/**
 * The signal for a request that creates something. Once on its way it is waited for, also when the run was stopped
 * meanwhile: what it created must be known, or nobody would give it back.
 */
export function creating(signal: AbortSignal): AbortSignal {
  if (signal.aborted) throw toStopped(signal.reason, "a request");
  return AbortSignal.timeout(answerMs);
}

/** Names survive neither bundling nor minifying; the operation in the command's schema does. */
function operationOf({ schema }: AnyCommand): string {
  const name: unknown = Array.isArray(schema) ? schema[2] : undefined;
  return typeof name === "string" ? name : "request";
}

/** The SDK itself looks at the signal only while a request is out, not while it waits to send it again. */
function unlessAborted<T>(sent: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
    void sent.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** What to throw for what the SDK threw. */
export function toCallProblem(error: unknown, link: Link, operation: string, options: CallOptions): Problem {
  const { service, account, identity } = link;
  if (options.signal.aborted) return toStopped(options.signal.reason, `${service} ${operation}`);
  if (error instanceof Problem) return error;
  const { resource, actions = [`${service.toLowerCase()}:${operation}`] } = options;
  return toProblem(
    toFault(error, { service, operation, account, resource, actions, caller: identity.arn }),
    error,
  );
}
