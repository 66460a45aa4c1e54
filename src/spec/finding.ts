import type { Diagnostic, Place } from "../diagnostic.ts";
import type { Node, Path } from "../document/node.ts";
import { placeAt } from "../document/node.ts";
import { type DiagnosticCode, warningCodes } from "./diagnostics.ts";

/** A diagnostic before it has its place. */
export type Finding = {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string | undefined;
  /** The path in the sections of a region, or the key of the region itself. */
  readonly at: Path | "region";
  /** Points at the key rather than at the value. */
  readonly on?: "key";
  /** What stands there must not be shown. */
  readonly isSecret?: boolean;
};

/** Gives a finding its place in the file; `regionPlace` is that of the region's key, where there is one. */
export function toDiagnostic(finding: Finding, root: Node, regionPlace: Place = root.place): Diagnostic {
  const { at, on = "value", isSecret = false } = finding;
  const place = at === "region" ? regionPlace : placeAt(root, at, on);
  return diagnosticAt(isSecret ? { ...place, isSecret } : place, finding);
}

export function diagnosticAt(place: Place, said: Omit<Finding, "at" | "on" | "isSecret">): Diagnostic {
  const { code, message, hint } = said;
  return { code, severity: severityOf(code), message, ...(hint === undefined ? {} : { hint }), place };
}

function severityOf(code: DiagnosticCode): "error" | "warning" {
  return Object.hasOwn(warningCodes, code) ? "warning" : "error";
}
