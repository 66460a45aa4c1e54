import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Template } from "../import/template.ts";
import type { Imported } from "../import/to-image-spec.ts";
import { Problem } from "../problem.ts";
import { loadSpec } from "./load.ts";
import { tell } from "./tell.ts";
import { writeSpec } from "./write-spec.ts";

type ImportOptions = { readonly output: string; readonly force?: boolean; readonly builder?: string };

/** `imgspec import`: specs from what other tools are told. */
export function addImport(program: Command): void {
  const group = program.command("import").description("Make a spec of what another tool was told.");
  addOutputOptions(
    group
      .command("packer")
      .description("Make a spec of a Packer template with an amazon-instance builder.")
      .argument("<file>", "the template: JSON, HCL2 (.pkr.hcl), or a directory of the latter"),
  )
    .option("-b, --builder <name>", "which amazon-instance builder, if there are several")
    .addHelpText(
      "after",
      `
What cannot be carried over is told with its line, and stands at the head of the spec. Credentials are never written.
In the end the spec is validated, and what it still lacks is told.

Examples:
  imgspec import packer template.json
  imgspec import packer web.pkr.hcl --builder web --output web.yaml`,
    )
    .action(async (file: string, options: ImportOptions) => {
      const { toImageSpec } = await import("../import/to-image-spec.ts");
      const template = await readTemplate(file);
      const spec = toImageSpec(
        { ...template, path: resolve(template.path) },
        resolve(options.output),
        options.builder,
      );
      await finish(spec, options);
    });
}

/** A template in JSON, or in HCL2: one file, or all of a directory, as Packer reads them. */
async function readTemplate(file: string): Promise<Template> {
  const { readText } = await import("../document/text.ts");
  const isDirectory = (await stat(file).catch(() => undefined))?.isDirectory() ?? false;
  const names = isDirectory ? (await readdir(file)).filter((name) => name.endsWith(".pkr.hcl")).sort() : [];
  if (!isDirectory && !file.endsWith(".hcl")) {
    const { readJsonTemplate } = await import("../import/packer-json.ts");
    return readJsonTemplate(await readText(file));
  }
  const { readHclTemplate } = await import("../import/packer-hcl.ts");
  const paths = isDirectory ? names.map((name) => join(file, name)) : [file];
  return readHclTemplate(await Promise.all(paths.map(readText)));
}

function addOutputOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "where to write the spec", "image.yaml")
    .option("--force", "overwrite the file if it is there");
}

/** Writes the spec and tells what it lacks: first what the template had, then what `validate` finds. */
async function finish(
  { text, leftovers }: Imported,
  { output, force = false }: ImportOptions,
): Promise<void> {
  await writeSpec(output, text, force, "name another file with --output, or overwrite it with --force");
  if (leftovers.length > 0) {
    const { toExcerpts } = await import("../document/excerpt.ts");
    // Without the lines of the template: what is not carried over may be a secret.
    process.stderr.write(toExcerpts(leftovers, () => undefined));
  }
  const count = leftovers.length === 0 ? "everything is in it" : `not carried over: ${leftovers.length}`;
  try {
    await loadSpec(output, {});
    process.stdout.write(`${output} written; ${count}. Next:\n  imgspec build ${output} --emulate\n`);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "spec-invalid") throw error;
    process.stdout.write(`${output} written; ${count}. It is not complete yet:\n`);
    await tell(error);
  }
}
