import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";
import type { Schema } from "../spec/written-schema.ts";

/** `imgspec schema`: for editors, and for whoever checks specs with other tools. */
export function addSchema(program: Command): void {
  program
    .command("schema")
    .description("Print the JSON Schema (draft-07) of image specs, of events or of results.")
    .argument("[spec]", "an image spec, whose plugins are put into the schema; loads them")
    .addOption(new Option("--of <what>", "which schema").choices(["spec", "event", "result"]).default("spec"))
    .addHelpText(
      "after",
      `
Examples:
  imgspec schema > imgspec.schema.json
  imgspec schema image.yaml > imgspec.schema.json`,
    )
    .action(async (path: string | undefined, { of }: { of: keyof typeof files }) => {
      if (path !== undefined && of !== "spec")
        throw new Problem("usage-wrong", `plugins add nothing to the schema of an ${of}`, {
          hint: "leave out the spec, or --of",
        });
      const text =
        path === undefined
          ? await readSchema(of)
          : `${JSON.stringify(await readProjectSchema(path), null, 2)}\n`;
      process.stdout.write(text);
    });
}

const files = { spec: "imgspec.v1", event: "event.v1", result: "result.v1" } as const;

/** The schema of specs with the steps of the plugins that a spec names. Throws as reading the spec does. */
export async function readProjectSchema(path: string | undefined): Promise<Schema> {
  // It is ours, and a test holds that it is a schema.
  const published = JSON.parse(await readSchema("spec")) as Schema;
  if (path === undefined) return published;
  const [{ readPlugins }, { toProjectSchema }] = await Promise.all([
    import("../spec/plugins/read-plugins.ts"),
    import("../spec/plugins/project-schema.ts"),
  ]);
  return toProjectSchema(published, await readPlugins(path));
}

/** The text of a published schema. */
export function readSchema(of: keyof typeof files): Promise<string> {
  return readFile(new URL(`../../schemas/${files[of]}.schema.json`, import.meta.url), "utf8");
}
