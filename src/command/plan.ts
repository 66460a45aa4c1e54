import { type Command, Option } from "commander";
import type { Dated } from "../plan/compare.ts";
import { Problem } from "../problem.ts";
import { loadPlan, loadSpec } from "./load.ts";
import { addSpecOptions, type SpecOptions } from "./options.ts";
import { tellDiagnostics } from "./tell.ts";

type PlanCommandOptions = SpecOptions & {
  readonly output: "text" | "json" | "dot" | "mermaid";
  readonly try?: string;
  /** A run's id; true: the last one. */
  readonly diff?: string | true;
  readonly stateDir: string;
};

/** `imgspec plan`: what `build` would do. Calls nobody. */
export function addPlan(program: Command): void {
  addSpecOptions(
    program
      .command("plan")
      .description("Print the tasks that a build of this spec would carry out, in their order. Calls nobody.")
      .argument("<spec>", "the image spec, a YAML file"),
  )
    .addOption(
      new Option("-o, --output <format>", "how to print")
        .choices(["text", "json", "dot", "mermaid"])
        .default("text"),
    )
    .option("--try <command>", "as in build: also launch each new image and run this in it")
    .option(
      "--diff [run]",
      "only what differs from an earlier run of the spec, and why; without an id, from the last",
    )
    .option("--state-dir <directory>", "where runs are", ".imgspec/runs")
    .addHelpText(
      "after",
      `
Examples:
  imgspec plan image.yaml
  imgspec plan image.yaml --diff
  imgspec plan image.yaml --output dot | dot -Tsvg > plan.svg`,
    )
    .action(async (path: string, options: PlanCommandOptions) => {
      const { id, spec, warnings } = await loadSpec(path, { ...options, ask: true });
      await tellDiagnostics(warnings);
      const plan = await loadPlan(spec, options.try === undefined ? {} : { tryCommand: options.try });
      if (options.diff !== undefined) return showChanges({ plan, run: id }, options);
      const { toDot, toJsonText, toMermaid, toText } = await import("../plan/outline.ts");
      const print = { text: toText, json: toJsonText, dot: toDot, mermaid: toMermaid }[options.output];
      process.stdout.write(print(plan).replace(/\n*$/, "\n"));
    });
}

async function showChanges(after: Dated, { diff, output, stateDir }: PlanCommandOptions): Promise<void> {
  if (output !== "text" && output !== "json")
    throw new Problem("usage-wrong", `--diff cannot be drawn as ${output}`, {
      hint: "print it as text or json",
    });
  const [{ readLastPlan }, { comparePlans }, { toChangesText }] = await Promise.all([
    import("./run-plan.ts"),
    import("../plan/compare.ts"),
    import("../plan/changes-text.ts"),
  ]);
  const before = await readLastPlan(stateDir, after.plan.name, diff === true ? undefined : diff);
  const changes = comparePlans(before, after);
  if (output === "text") {
    process.stdout.write(toChangesText(changes, after.plan.tasks.length, before.run));
    return;
  }
  const plain = changes.map(({ task, ...rest }) => ({ task: task.id, title: task.title, ...rest }));
  process.stdout.write(`${JSON.stringify({ run: before.run, changes: plain }, null, 2)}\n`);
}
