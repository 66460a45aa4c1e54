/** A stretch of a text file. Lines and columns count from 1, columns in UTF-16 units; `end` is exclusive. */
export type Place = {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** What stands there must not be shown. */
  readonly isSecret?: boolean;
};

/** Something wrong with a spec: a value that is collected, never thrown by itself. */
export type Diagnostic = {
  /** Kebab words for scripts, such as `unknown-key`; listed in docs/reference/diagnostics.md. */
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly hint?: string;
  readonly place: Place;
};
