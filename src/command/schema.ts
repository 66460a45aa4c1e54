import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";

/** `imgspec schema`: for editors, and for whoever checks specs with other tools. */
export function addSchema(program: Command): void {
  program
    .command("schema")
    .description("Print the JSON Schema (draft-07) of image specs, of events or of results.")
    .addOption(new Option("--of <what>", "which schema").choices(["spec", "event", "result"]).default("spec"))
    .action(async ({ of }: { of: keyof typeof files }) => {
      process.stdout.write(await readSchema(of));
    });
}

const files = { spec: "imgspec.v1", event: "event.v1", result: "result.v1" } as const;

/** The text of a published schema. */
export function readSchema(of: keyof typeof files): Promise<string> {
  return readFile(new URL(`../../schemas/${files[of]}.schema.json`, import.meta.url), "utf8");
}
