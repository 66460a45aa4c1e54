import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Node, Path } from "../document/node.ts";
import { placeAt } from "../document/node.ts";
import { type DiagnosticCode, warningCodes } from "./diagnostics.ts";

/** A diagnostic before it has its place: told by the path in the document. */
export type Finding = {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly at: Path;
  /** Points at the key rather than at the value. */
  readonly on?: "key";
};

/** Gives a finding its place in the file. */
export function toDiagnostic(finding: Finding, root: Node): Diagnostic {
  return diagnosticAt(placeAt(root, finding.at, finding.on ?? "value"), finding);
}

export function diagnosticAt(place: Place, said: Omit<Finding, "at" | "on">): Diagnostic {
  const { code, message, hint } = said;
  return { code, severity: severityOf(code), message, ...(hint === undefined ? {} : { hint }), place };
}

function severityOf(code: DiagnosticCode): "error" | "warning" {
  return Object.hasOwn(warningCodes, code) ? "warning" : "error";
}
