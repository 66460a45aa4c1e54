import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";

/** `imgspec schema`: for editors, and for whoever checks specs with other tools. */
export function addSchema(program: Command): void {
  program
    .command("schema")
    .description("Print the JSON Schema (draft-07) of image specs, of events or of results.")
    .addOption(new Option("--of <what>", "which schema").choices(["spec", "event", "result"]).default("spec"))
    .action(async ({ of }: { of: "spec" | "event" | "result" }) => {
      const file = { spec: "imgspec.v1", event: "event.v1", result: "result.v1" }[of];
      const url = new URL(`../../schemas/${file}.schema.json`, import.meta.url);
      process.stdout.write(await readFile(url, "utf8"));
    });
}
