import type { ProblemCode } from "../problem.ts";
import type { Account } from "./cloud.ts";

/** What went wrong with one request, in the terms of AWS: the facts that a message is made of. */
export type Fault = {
  /** AWS's code such as `UnauthorizedOperation`, or Node's such as `ECONNREFUSED`, or the error's name. */
  readonly code: string;
  readonly message: string;
  readonly requestId: string | undefined;
  /** How often the request was sent. */
  readonly attempts: number;
  /** Such as EC2 and RunInstances. */
  readonly service: string;
  readonly operation: string;
  readonly host: string | undefined;
  readonly account: Account;
  /** The bucket, key, image or name that the request was about. */
  readonly resource: string | undefined;
  /** IAM actions that the request needs. */
  readonly actions: readonly string[];
  /** ARN of the caller, where it is known. */
  readonly caller: string | undefined;
  /** How far this machine's clock is ahead of AWS's; negative when behind. */
  readonly clockAheadMs: number | undefined;
  /** Region of the bucket, where S3 named it. */
  readonly bucketRegion: string | undefined;
};

/** What is known of a request before it is sent. */
export type RequestFacts = Pick<
  Fault,
  "service" | "operation" | "account" | "resource" | "actions" | "caller"
>;

/** What to make of some faults: the code that scripts see, what is wrong, what to do about it. */
export type Rule = {
  readonly codes: readonly string[];
  readonly problem: ProblemCode;
  readonly message: (fault: Fault) => string;
  readonly hint: (fault: Fault) => string | undefined;
};

/** Fields that errors and their answers may have; which ones, and of which type, nobody promises. */
type Fields = {
  readonly [K in
    | ("name" | "message" | "code" | "errors" | "hostname" | "address" | "port" | "Region")
    | ("$metadata" | "httpStatusCode" | "requestId" | "attempts")
    | ("$response" | "headers" | "date" | "x-amz-bucket-region")]?: unknown;
};

/** Reads the facts out of whatever the SDK, Node or a proxy threw. */
export function toFault(error: unknown, request: RequestFacts): Fault {
  const root = fieldsOf(firstOf(error));
  const metadata = fieldsOf(root.$metadata);
  const response = fieldsOf(root.$response);
  const headers = fieldsOf(response.headers);
  return {
    ...request,
    code: codeOf(root, metadata),
    message: textOf(root.message) ?? String(error),
    requestId: textOf(metadata.requestId),
    attempts: numberOf(fieldsOf(fieldsOf(error).$metadata).attempts) ?? 1,
    host: textOf(root.hostname) ?? addressOf(root),
    clockAheadMs: clockAheadMs(textOf(headers.date)),
    bucketRegion: textOf(headers["x-amz-bucket-region"]) ?? textOf(root.Region),
  };
}

/** Node tries every address of a host and throws the failures together; the first speaks for all. */
function firstOf(error: unknown): unknown {
  const { errors } = fieldsOf(error);
  return Array.isArray(errors) ? (errors[0] ?? error) : error;
}

function codeOf(root: Fields, metadata: Fields): string {
  const name = textOf(root.name) ?? "Error";
  const status = numberOf(metadata.httpStatusCode);
  // An answer without a body, as to every HEAD, has only its status; the SDK makes various names of it.
  if (/^(\d+|Unknown|UnknownError|Error)$/.test(name) && status !== undefined) return `Http${status}`;
  // The SDK calls a connection that broke a TimeoutError too; Node's code says which it was.
  return ["Error", "TypeError", "TimeoutError"].includes(name) ? (textOf(root.code) ?? name) : name;
}

function addressOf(root: Fields): string | undefined {
  const address = textOf(root.address);
  const port = numberOf(root.port);
  return address === undefined || port === undefined ? address : `${address}:${port}`;
}

/** A Date header counts whole seconds. */
function clockAheadMs(date: string | undefined): number | undefined {
  const theirs = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(theirs) ? undefined : Date.now() - theirs;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value : {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
