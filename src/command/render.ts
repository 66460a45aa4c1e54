import { type Command, Option } from "commander";
import { loadSpec } from "./load.ts";
import { addSpecOptions, type SpecOptions } from "./options.ts";
import { tellDiagnostics } from "./tell.ts";

type RenderOptions = SpecOptions & { readonly origins?: boolean; readonly output: "yaml" | "json" };

/** `imgspec render`: what a spec comes to in each region. */
export function addRender(program: Command): void {
  addSpecOptions(
    program
      .command("render")
      .description("Print what a spec comes to: one whole spec for each region, with nothing left open.")
      .argument("<spec>", "the image spec, a YAML file"),
  )
    .option("--origins", "say where each value comes from: file and line, or default")
    .addOption(new Option("-o, --output <format>", "how to print").choices(["yaml", "json"]).default("yaml"))
    .addHelpText(
      "after",
      `
Files that are extended are merged, presets and regions laid over the rest, expressions evaluated, defaults filled in.
What is printed for a region is a spec by itself, if its sensitive values are: they stay expressions, as they are written.

Examples:
  imgspec render image.yaml --region cn-north-1 > cn-north-1.yaml
  imgspec render image.yaml --origins`,
    )
    .action(async (path: string, { origins = false, output, ...options }: RenderOptions) => {
      const { rendered, warnings } = await loadSpec(path, { ...options, ask: true });
      const images = rendered();
      await tellDiagnostics(warnings);
      if (output === "json") {
        process.stdout.write(
          `${JSON.stringify(
            images.map(({ value }) => value),
            null,
            2,
          )}\n`,
        );
        return;
      }
      const { toYamlText } = await import("../document/print.ts");
      const texts = images.map(({ value, originOf }) =>
        toYamlText(value, (at) => (origins ? originOf(at) : undefined)),
      );
      process.stdout.write(texts.join("---\n"));
    });
}
