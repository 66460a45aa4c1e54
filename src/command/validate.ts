import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";
import { groupName } from "../util/task-id.ts";
import { loadSpec } from "./load.ts";
import { addSpecOptions, type SpecOptions } from "./options.ts";
import { tellDiagnostics } from "./tell.ts";

type ValidateOptions = SpecOptions & { readonly output: "text" | "json" };

/** `imgspec validate`: every mistake at once. */
export function addValidate(program: Command, exit: (code: number) => void): void {
  addSpecOptions(
    program
      .command("validate")
      .description("Check a spec and print everything that is wrong with it, with its place.")
      .argument("<spec>", "the image spec, a YAML file"),
  )
    .addOption(new Option("-o, --output <format>", "how to print").choices(["text", "json"]).default("text"))
    .addHelpText(
      "after",
      `
Examples:
  imgspec validate image.yaml
  imgspec validate image.yaml --var release=2026.11 --output json`,
    )
    .action(async (path: string, options: ValidateOptions) => {
      try {
        const { spec, warnings } = await loadSpec(path, options);
        const regions = spec.images.map(({ region, variant }) => groupName(region.name, variant));
        if (options.output === "json") return json({ valid: true, regions, diagnostics: warnings });
        await tellDiagnostics(warnings);
        const count =
          warnings.length === 0 ? "" : `, ${warnings.length} warning${warnings.length === 1 ? "" : "s"}`;
        process.stdout.write(
          `${path} is valid: ${regions.length} image${regions.length === 1 ? "" : "s"} (${toNames(regions)})${count}\n`,
        );
      } catch (error) {
        if (options.output === "text" || !(error instanceof Problem) || error.code !== "spec-invalid")
          throw error;
        json({ valid: false, regions: [], diagnostics: error.diagnostics });
        exit(3);
      }
    });
}

const maxNames = 12;

/** All of them where they fit on a line or two, else the first; `--output json` has every one. */
function toNames(names: readonly string[]): string {
  if (names.length <= maxNames) return names.join(", ");
  const shown = maxNames - 2;
  return `${names.slice(0, shown).join(", ")} and ${names.length - shown} more`;
}

function json(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
