import { chmod, realpath, stat } from "node:fs/promises";
import type { Command } from "commander";
import type { Formatted } from "../document/format.ts";
import { Problem } from "../problem.ts";
import { writeWhole } from "../util/write-whole.ts";
import { readSchema } from "./schema.ts";

type FmtOptions = { readonly check?: boolean; readonly diff?: boolean };

/** `imgspec fmt`: one form for all specs, so that a diff shows what was changed and not how it was typed. */
export function addFmt(program: Command, exit: (code: number) => void): void {
  program
    .command("fmt")
    .description(
      "Put specs into their canonical form: the order of keys, indentation, line ends. Keeps comments.",
    )
    .argument("<files...>", "image specs and files that they extend; - for stdin, formatted to stdout")
    .option(
      "--check",
      "write nothing; list the files that are not in this form, and exit with 1 if there are any",
    )
    .option("--diff", "write nothing; print what would change as a unified diff")
    .addHelpText(
      "after",
      `
What a spec means does not change; quotes, blank lines and the choice between brackets and lines are kept. A file with
YAML mistakes is left as it is. The names of the files that were written are printed.

Examples:
  imgspec fmt image.yaml common.yaml
  imgspec fmt --check --diff image.yaml
  imgspec fmt - < image.yaml`,
    )
    .action(async (files: readonly string[], options: FmtOptions) => {
      const toFormatted = await newFormatter();
      const broken: Problem[] = [];
      let changed = 0;
      for (const path of files) {
        const before = await readContent(path);
        const { content, diagnostics } = toFormatted(path, before);
        if (content === undefined) {
          broken.push(new Problem("spec-invalid", `"${path}" is left as it is`, { diagnostics }));
          continue;
        }
        changed += Number(content !== before);
        await hand(path, before, content, options);
      }
      if (options.check && changed > 0) exit(1);
      const [first] = broken;
      if (!first) return;
      const message = broken.map((problem) => problem.message).join("\n  ");
      throw new Problem("spec-invalid", message, {
        diagnostics: broken.flatMap(({ diagnostics }) => diagnostics),
      });
    });
}

async function newFormatter(): Promise<(path: string, content: string) => Formatted> {
  const [{ format }, { keysAt }] = await Promise.all([
    import("../document/format.ts"),
    import("../spec/key-order.ts"),
  ]);
  // It is ours, and a test holds that it is a schema.
  const schema = JSON.parse(await readSchema("spec")) as Parameters<typeof keysAt>[0];
  return (path, content) => format({ path, content }, (at) => keysAt(schema, at));
}

async function readContent(path: string): Promise<string> {
  const { readText, readTextFrom } = await import("../document/text.ts");
  const { content } = await (path === "-" ? readTextFrom(process.stdin, path) : readText(path));
  return content;
}

async function hand(path: string, before: string, content: string, options: FmtOptions): Promise<void> {
  const isSame = before === content;
  if (options.diff) {
    const { toUnifiedDiff } = await import("../document/diff.ts");
    process.stdout.write(toUnifiedDiff(path, before, content));
  } else if (options.check) {
    if (!isSame) process.stdout.write(`${path}\n`);
  } else if (path === "-") {
    process.stdout.write(content);
  } else if (!isSame) {
    await replace(path, content);
    process.stdout.write(`${path}\n`);
  }
}

/** A link stays one, and a file keeps its mode. */
async function replace(path: string, content: string): Promise<void> {
  try {
    const target = await realpath(path);
    const mode = (await stat(target)).mode & 0o7777;
    await writeWhole(target, content, mode);
    // What a new file gets, the umask has a say in.
    await chmod(target, mode);
  } catch (cause) {
    throw new Problem("file-unreadable", `cannot write ${path}: ${(cause as NodeJS.ErrnoException).code}`, {
      hint: "check the permissions of the file and its folder",
      cause,
    });
  }
}
