import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import type { Text } from "../document/text.ts";
import type { Imported } from "../import/imported.ts";
import type { Template } from "../import/template.ts";
import { Problem } from "../problem.ts";
import { loadSpec } from "./load.ts";
import { tell } from "./tell.ts";
import { writeSpec } from "./write-spec.ts";

type ImportOptions = { readonly output: string; readonly force?: boolean };
type PackerOptions = ImportOptions & { readonly builder?: string; readonly varFile: readonly string[] };

/** `imgspec import`: specs from what other tools are told. */
export function addImport(program: Command): void {
  const group = program.command("import").description("Make a spec of what another tool was told.");
  addBootstrap(group);
  addOutputOptions(
    group
      .command("packer")
      .description("Make a spec of a Packer template with an amazon-instance builder.")
      .argument("<file>", "the template: JSON, HCL2 (.pkr.hcl, .pkr.json), or a directory of the latter"),
  )
    .option("-b, --builder <name>", "which amazon-instance builder, if there are several")
    .option(
      "--var-file <file>",
      "a file of variables, .pkrvars.hcl or .json, whose values become defaults (repeatable)",
      (file: string, before: readonly string[]) => [...before, file],
      [],
    )
    .addHelpText(
      "after",
      `
What cannot be carried over is told with its line, and stands at the head of the spec. Credentials are never written.
In the end the spec is validated, and what it still lacks is told.

Examples:
  imgspec import packer template.json
  imgspec import packer web.pkr.hcl --builder web --output web.yaml
  imgspec import packer packer/ --var-file production.pkrvars.hcl`,
    )
    .action(async (file: string, options: PackerOptions) => {
      const { toImageSpec } = await import("../import/to-image-spec.ts");
      const template = await readTemplate(file, options.varFile);
      const spec = toImageSpec(
        { ...template, path: resolve(template.path) },
        resolve(options.output),
        options.builder,
      );
      await finish(spec, options);
    });
}

/** `imgspec import bootstrap-vz`. */
function addBootstrap(group: Command): void {
  addOutputOptions(
    group
      .command("bootstrap-vz")
      .description("Make a spec of a manifest of bootstrap-vz: provider ec2, backing s3.")
      .argument("<file>", "the manifest, YAML or JSON"),
  )
    .addHelpText(
      "after",
      `
bootstrap-vz installs Debian into an empty disk, and imgspec begins with an AMI: the spec asks for one by the variable
sourceImage. What cannot be carried over is told with its line, and stands at the head of the spec.

Example:
  imgspec import bootstrap-vz s3-wheezy-amd64-pvm.yml --output wheezy.yaml
  imgspec build wheezy.yaml --var sourceImage=ami-0123456789abcdef0`,
    )
    .action(async (file: string, options: ImportOptions) => {
      const [{ toBootstrapSpec }, { readText }] = await Promise.all([
        import("../import/bootstrap-vz.ts"),
        import("../document/text.ts"),
      ]);
      const text = await readText(file);
      const paths = { manifest: resolve(file), spec: resolve(options.output) };
      await finish(toBootstrapSpec(text, paths), options);
    });
}

/** A template in JSON, or in HCL2: one file, or all of a directory, as Packer reads them. */
async function readTemplate(file: string, varFiles: readonly string[]): Promise<Template> {
  const { readText } = await import("../document/text.ts");
  const isDirectory = (await stat(file).catch(() => undefined))?.isDirectory() ?? false;
  const names = isDirectory ? (await readdir(file)).sort() : [];
  const pathsOf = (pattern: RegExp): readonly string[] =>
    names.filter((name) => pattern.test(name)).map((name) => join(file, name));
  const paths = isDirectory ? pathsOf(/\.pkr\.(hcl|json)$/) : [file];
  const template = await readTexts(await Promise.all(paths.map(readText)), isDirectory);
  const all = [...pathsOf(/\.auto\.pkrvars\.(hcl|json)$/), ...varFiles];
  if (all.length === 0) return template;
  const { withVarFiles } = await import("../import/var-file.ts");
  return withVarFiles(template, await Promise.all(all.map(readText)));
}

async function readTexts(texts: readonly Text[], isHcl: boolean): Promise<Template> {
  const [only] = texts;
  if (only && !isHcl && !/\.hcl$|\.pkr\.json$/.test(only.path)) {
    const { readJsonTemplate } = await import("../import/packer-json.ts");
    return readJsonTemplate(only);
  }
  const { readHclTemplate } = await import("../import/packer-hcl.ts");
  return readHclTemplate(texts);
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
