import type { Diagnostic } from "./diagnostic.ts";

/** Every way the world can refuse. */
export type ProblemCode =
  | "usage-wrong"
  | "spec-invalid"
  | "file-unreadable"
  | "preflight-failed"
  | "credentials-missing"
  | "permission-denied"
  | "clock-skewed"
  | "source-missing"
  | "bucket-unusable"
  | "name-taken"
  | "certificate-unusable"
  | "capacity-missing"
  | "sandbox-unavailable"
  | "vm-unavailable"
  | "command-failed"
  | "command-timeout"
  | "check-failed"
  | "plugin-failed"
  | "connect-failed"
  | "host-key-changed"
  | "bundle-invalid"
  | "not-convertible"
  | "snapshot-failed"
  | "upload-failed"
  | "manifest-refused"
  | "image-mismatch"
  | "image-missing"
  | "image-in-use"
  | "boot-failed"
  | "publish-failed"
  | "aws-fault"
  | "network-failed"
  | "timeout"
  | "disk-full"
  | "journal-unusable"
  | "result-unwritable"
  | "cleanup-incomplete"
  | "interrupted";

/**
 * The exit code that each leads to (docs/exit-codes.md).
 * `null`: the exit code is that of the stage in which it happened.
 */
const exitCodes: Readonly<Record<ProblemCode, number | null>> = {
  "usage-wrong": 2,
  "spec-invalid": 3,
  "file-unreadable": 3,
  "preflight-failed": 4,
  "credentials-missing": 4,
  "permission-denied": 4,
  "clock-skewed": 4,
  "source-missing": 4,
  "bucket-unusable": 4,
  "name-taken": 4,
  "certificate-unusable": 4,
  "capacity-missing": 4,
  "sandbox-unavailable": 4,
  "vm-unavailable": 4,
  "command-failed": 5,
  "command-timeout": 5,
  "check-failed": 5,
  "plugin-failed": 5,
  "connect-failed": null,
  "host-key-changed": null,
  "bundle-invalid": 6,
  "not-convertible": 4,
  "snapshot-failed": 6,
  "upload-failed": 6,
  "manifest-refused": 7,
  "image-mismatch": 7,
  "image-missing": 4,
  "image-in-use": 4,
  "boot-failed": 7,
  "publish-failed": 7,
  "aws-fault": null,
  "network-failed": null,
  timeout: null,
  "disk-full": null,
  "journal-unusable": 1,
  "result-unwritable": 1,
  "cleanup-incomplete": 8,
  interrupted: 130,
};

type ProblemOptions = {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly diagnostics?: readonly Diagnostic[];
  readonly file?: string | undefined;
};

/** The one error that is thrown on purpose: what is wrong, in the user's words, and apart from it what to do. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly hint: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** Absolute path of a file of this machine that tells more. */
  readonly file: string | undefined;

  constructor(code: ProblemCode, message: string, options: ProblemOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.diagnostics = options.diagnostics ?? [];
    this.file = options.file;
  }
}

/** The exit code of a code, or `undefined` when the stage decides. */
export function exitCodeOf(code: ProblemCode): number | undefined {
  return exitCodes[code] ?? undefined;
}

/** Every code, for the published schemas. */
export const problemCodes: readonly ProblemCode[] = Object.keys(exitCodes) as ProblemCode[];
