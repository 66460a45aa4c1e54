import { type Command, Option } from "commander";
import { readProjectSchema } from "./schema.ts";

type ExplainOptions = { readonly output: "text" | "json"; readonly spec?: string };

/** `imgspec explain`: what a key is for, without leaving the terminal. */
export function addExplain(program: Command): void {
  program
    .command("explain")
    .description(
      "Say what a key of a spec is for: its type, values, default, examples, and the keys below it.",
    )
    .argument("[key]", "its path, such as bundle.hygiene or provision.shell; without one, the top level")
    .addOption(
      new Option("-o, --output <format>", "how to print; json is the fragment of the schema")
        .choices(["text", "json"])
        .default("text"),
    )
    .option("--spec <spec>", "an image spec, whose plugins are explained too; loads them")
    .addHelpText(
      "after",
      `
A name, a number or * stands for what a spec names itself.

Examples:
  imgspec explain bundle.hygiene
  imgspec explain provision.shell
  imgspec explain provision.greet --spec image.yaml
  imgspec explain regions.us-east-1.upload`,
    )
    .action(async (key: string | undefined, { output, spec }: ExplainOptions) => {
      const [{ explain }, { toExplainedText }] = await Promise.all([
        import("../spec/explain.ts"),
        import("../spec/explained-text.ts"),
      ]);
      const schema = await readProjectSchema(spec);
      const explained = explain(schema, key ?? "");
      const columns = Math.min(process.stdout.columns || 100, 110);
      process.stdout.write(
        output === "json"
          ? `${JSON.stringify(explained.fragment, null, 2)}\n`
          : toExplainedText(schema, explained, columns),
      );
    });
}
