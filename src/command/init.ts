import { readFile, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";

/** `imgspec init`: a commented spec to begin with. Never overwrites a file. */
export function addInit(program: Command): void {
  program
    .command("init")
    .description("Write a commented image spec to begin with.")
    .argument("[file]", "where to write it", "image.yaml")
    .addOption(
      new Option("-t, --template <name>", "which one").choices(["minimal", "full"]).default("minimal"),
    )
    .action(async (file: string, { template }: { template: string }) => {
      const text = await readFile(new URL(`../../templates/${template}.yaml`, import.meta.url), "utf8");
      try {
        await writeFile(file, text, { flag: "wx" });
      } catch (cause) {
        const { code } = cause as NodeJS.ErrnoException;
        if (code === "EEXIST") {
          throw new Problem("usage-wrong", `${file} exists already`, { hint: "name another file", cause });
        }
        throw new Problem("usage-wrong", `cannot write ${file}: ${code}`, {
          hint: "name a file in a folder that exists",
          cause,
        });
      }
      process.stdout.write(
        `${file} written. Next:\n  imgspec validate ${file}\n  imgspec build ${file} --emulate\n`,
      );
    });
}
