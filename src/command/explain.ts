import { type Command, Option } from "commander";
import { readSchema } from "./schema.ts";

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
    .addHelpText(
      "after",
      `
A name, a number or * stands for what a spec names itself.

Examples:
  imgspec explain bundle.hygiene
  imgspec explain provision.shell
  imgspec explain regions.us-east-1.upload`,
    )
    .action(async (key: string | undefined, { output }: { output: "text" | "json" }) => {
      const [{ explain }, { toExplainedText }] = await Promise.all([
        import("../spec/explain.ts"),
        import("../spec/explained-text.ts"),
      ]);
      // It is ours, and a test holds that it is a schema.
      const schema = JSON.parse(await readSchema("spec")) as Parameters<typeof explain>[0];
      const explained = explain(schema, key ?? "");
      const columns = Math.min(process.stdout.columns || 100, 110);
      process.stdout.write(
        output === "json"
          ? `${JSON.stringify(explained.fragment, null, 2)}\n`
          : toExplainedText(schema, explained, columns),
      );
    });
}
