/** What a program may import. Covered by semantic versioning, as are the schemas and the exit codes. */

export type { CloudOptions } from "./aws/cloud.ts";
export { type BuildOptions, build } from "./command/build.ts";
export type { Diagnostic, Place } from "./diagnostic.ts";
export { Problem, type ProblemCode } from "./problem.ts";
export type { Result } from "./report/result.ts";
export type { RunEvent } from "./run/event.ts";
