import { type Command, Option } from "commander";
import { loadPlan, loadSpec } from "./load.ts";
import { addSpecOptions, type SpecOptions } from "./options.ts";
import { tellDiagnostics } from "./tell.ts";

type PlanCommandOptions = SpecOptions & {
  readonly output: "text" | "json" | "dot" | "mermaid";
  readonly try?: string;
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
    .addHelpText(
      "after",
      `
Examples:
  imgspec plan image.yaml
  imgspec plan image.yaml --output dot | dot -Tsvg > plan.svg`,
    )
    .action(async (path: string, options: PlanCommandOptions) => {
      const { spec, warnings } = await loadSpec(path, { ...options, ask: true });
      await tellDiagnostics(warnings);
      const plan = await loadPlan(spec, options.try);
      const { toDot, toJsonText, toMermaid, toText } = await import("../plan/outline.ts");
      const print = { text: toText, json: toJsonText, dot: toDot, mermaid: toMermaid }[options.output];
      process.stdout.write(print(plan).replace(/\n*$/, "\n"));
    });
}
