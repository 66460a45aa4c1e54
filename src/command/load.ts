import type { Diagnostic } from "../diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import { newRunId } from "../run/run-id.ts";
import type { Rendered } from "../spec/rendered.ts";
import type { Spec } from "../spec/spec.ts";
import { canAsk } from "./ask.ts";
import type { SpecOptions } from "./options.ts";

export type Loaded = {
  readonly id: string;
  readonly spec: Spec;
  readonly warnings: readonly Diagnostic[];
  /** Each image as a spec of its own; made when it is asked for. */
  readonly rendered: () => readonly Rendered[];
};

/** The one way in for everything that reads a spec. */
export async function loadSpec(
  path: string,
  options: SpecOptions & { readonly ask?: boolean },
): Promise<Loaded> {
  const { readSpec, readVariableFile } = await import("../spec/read-spec.ts");
  const now = new Date();
  const id = newRunId(now);
  const { spec, warnings, rendered } = await readSpec(path, {
    variables: options.var ?? {},
    variableFiles: await Promise.all((options.varFile ?? []).map(readVariableFile)),
    environment: process.env,
    ask: options.ask && canAsk() ? (await import("./ask-variables.ts")).askVariables : undefined,
    build: { id, now },
    ...(options.region && options.region.length > 0 ? { regions: options.region } : {}),
  });
  return { id, spec, warnings, rendered };
}

/** The plan of a spec, with the digests of the local files that it sends. */
export async function loadPlan(
  spec: Spec,
  { tryCommand, skipBreakpoints }: { readonly tryCommand?: string; readonly skipBreakpoints?: boolean },
): Promise<Plan> {
  const [{ localPaths }, { toPlan }, { digestOfPath }] = await Promise.all([
    import("../plan/add-step.ts"),
    import("../plan/planner.ts"),
    import("../util/digest-of-path.ts"),
  ]);
  const digests = new Map<string, string>();
  for (const local of localPaths(spec)) digests.set(local, await digestOfPath(local));
  return toPlan(spec, {
    digests,
    tryCommand: tryCommand ?? null,
    skipBreakpoints: skipBreakpoints ?? false,
  });
}
