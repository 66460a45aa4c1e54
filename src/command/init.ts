import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";
import type { FirstValues } from "../spec/first-spec.ts";
import { ask, canAsk } from "./ask.ts";
import { listen } from "./interrupt.ts";
import { collect } from "./options.ts";
import { writeSpec } from "./write-spec.ts";

/** The files in `templates`, and what they are for. */
const templates = {
  minimal: "the least that builds an image",
  full: "every key of the language, commented",
  "amazon-linux": "Amazon Linux with packages, a partitioned disk and a boot gate",
  ubuntu: "Ubuntu, the same",
  debian: "Debian from an AMI of your own, the same",
  partitions: "one spec for the commercial partition, GovCloud and China",
  ci: "for builds in CI",
} as const;
type Template = keyof typeof templates;
const names = Object.keys(templates) as readonly Template[];

type InitOptions = {
  readonly template?: Template;
  readonly name?: string;
  readonly bucket?: string;
  readonly region?: readonly string[];
};

/** `imgspec init`: a commented spec to begin with. Never overwrites a file. */
export function addInit(program: Command): void {
  const list = names.map((name) => `  ${name.padEnd(14)}${templates[name]}`).join("\n");
  program
    .command("init")
    .description("Write a commented image spec to begin with. At a terminal it asks for what no option says.")
    .argument("[file]", "where to write it", "image.yaml")
    .addOption(
      new Option("-t, --template <name>", "which one (below); minimal where nobody can be asked").choices(
        names,
      ),
    )
    .option("-n, --name <name>", "name of what is built")
    .option("-b, --bucket <bucket>", "S3 bucket for the bundles; it may hold expressions")
    .option("-r, --region <name>", "a region to build in (repeatable)", collect)
    .addHelpText(
      "after",
      `
Templates:
${list}

Examples:
  imgspec init
  imgspec init web.yaml --template amazon-linux --name web --bucket acme-images --region eu-west-1`,
    )
    .action(async (file: string, options: InitOptions) => {
      const isAsked = options.template === undefined && canAsk();
      const { template, values } = isAsked
        ? await askFor(options)
        : { template: options.template ?? "minimal", values: options };
      const text = await readFile(new URL(`../../templates/${template}.yaml`, import.meta.url), "utf8");
      const { toFirstSpec } = await import("../spec/first-spec.ts");
      await writeSpec(file, toFirstSpec(text, values), false, "name another file");
      process.stdout.write(
        `${file} written. Next:\n  imgspec validate ${file}\n  imgspec build ${file} --emulate\n`,
      );
    });
}

type Answers = { readonly template: Template; readonly values: FirstValues };

/** Enter takes what stands in brackets: what the template has. */
async function askFor(options: InitOptions): Promise<Answers> {
  using interrupt = listen();
  const question = async (text: string, given: string | undefined): Promise<string | undefined> =>
    given ?? ((await ask(`${text}: `, interrupt)).trim() || undefined);
  process.stderr.write(
    `${names.map((name, index) => `  ${index + 1}  ${name.padEnd(14)}${templates[name]}`).join("\n")}\n`,
  );
  const template = toTemplate(await question("Template, a number or a name [minimal]", undefined));
  const name = await question("Name of the image [my-image]", options.name);
  const bucket = await question(`S3 bucket for the bundles [my-images-\${{ region.name }}]`, options.bucket);
  const region =
    options.region ??
    (await question("Regions, with spaces between [those of the template]", undefined))?.split(/[\s,]+/);
  return { template, values: { name, bucket, region } };
}

function toTemplate(answer: string | undefined): Template {
  const found =
    answer === undefined ? "minimal" : (names[Number(answer) - 1] ?? names.find((name) => name === answer));
  if (found) return found;
  throw new Problem("usage-wrong", `there is no template "${answer}"`, {
    hint: `there are ${names.join(", ")}`,
  });
}
