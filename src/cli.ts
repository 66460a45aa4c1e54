import { Command, CommanderError } from "commander";
import { addBuild } from "./command/build-command.ts";
import { addBundle } from "./command/bundle.ts";
import { addCert } from "./command/cert.ts";
import { addClean } from "./command/clean.ts";
import { addCompletion } from "./command/completion.ts";
import { addConvert } from "./command/convert.ts";
import { addDelete } from "./command/delete.ts";
import { addDownload } from "./command/download.ts";
import { addEmulator } from "./command/emulator.ts";
import { addExplain } from "./command/explain.ts";
import { addFmt } from "./command/fmt.ts";
import { addImage } from "./command/image.ts";
import { addImport } from "./command/import.ts";
import { addInit } from "./command/init.ts";
import { addInspect } from "./command/inspect.ts";
import { addMigrate } from "./command/migrate.ts";
import { addPlan } from "./command/plan.ts";
import { addRender } from "./command/render.ts";
import { addSchema } from "./command/schema.ts";
import { tell, versionOf } from "./command/tell.ts";
import { addUnbundle } from "./command/unbundle.ts";
import { addUpload } from "./command/upload.ts";
import { addValidate } from "./command/validate.ts";
import { addVerify } from "./command/verify.ts";

/** The process: arguments in, exit code out (docs/exit-codes.md). Never returns. */
export async function main(argv: readonly string[]): Promise<never> {
  let code = 0;
  // A reader that has seen enough, such as head, ends no command by itself: those that go on for long look for it.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const program = toProgram((result) => {
    code = result;
  }, argv[2]);
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    code = error instanceof CommanderError ? (error.exitCode === 0 ? 0 : 2) : await tell(error);
  }
  // A pipe takes 64 KiB at once, and what it has not taken would be lost.
  await Promise.all([process.stdout, process.stderr].map(flushed));
  process.exit(code);
}

/** Settles once the stream has handed on all that it was given, or has nobody to hand it to. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}

const commands: Readonly<Record<string, (program: Command, exit: (code: number) => void) => void>> = {
  build: addBuild,
  validate: addValidate,
  plan: addPlan,
  render: addRender,
  init: addInit,
  fmt: addFmt,
  explain: addExplain,
  import: addImport,
  schema: addSchema,
  clean: addClean,
  emulator: addEmulator,
  bundle: addBundle,
  unbundle: addUnbundle,
  verify: addVerify,
  inspect: addInspect,
  upload: addUpload,
  download: addDownload,
  delete: addDelete,
  image: addImage,
  migrate: addMigrate,
  convert: addConvert,
  cert: addCert,
  completion: addCompletion,
};

/**
 * The table of commands, or that one of them that is asked for. Also what the reference in docs/reference/cli.md is
 * made from.
 */
export function toProgram(exit: (code: number) => void, name?: string): Command {
  const program = new Command("imgspec")
    .description("Builds instance store-backed (S3-backed) EC2 AMIs from one YAML image spec.")
    .version(versionOf(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .showHelpAfterError("(imgspec --help tells more)")
    .exitOverride()
    // As wide everywhere, so that what --help prints can be made ahead (build.mjs).
    .configureOutput({ getOutHelpWidth: () => Math.min(helpWidth, process.stdout.columns || helpWidth) })
    .addHelpText(
      "after",
      `
Start here:
  imgspec init image.yaml                 write a spec to begin with
  imgspec validate image.yaml             see everything that is wrong with it
  imgspec build image.yaml --emulate      build it on an AWS inside this process: no account, no cost
  imgspec build image.yaml                build it

Exit codes: 0 ok, 2 usage, 3 invalid spec, 4 preflight or permission, 5 provisioning, 6 bundle or upload,
            7 register, 8 something could not be cleaned up, 130 interrupted`,
    );
  // A start makes only what it needs. Completion is made from all of them.
  const asked = name === undefined || name === "completion" ? undefined : commandOf(name);
  for (const add of asked ? [asked] : Object.values(commands)) add(program, exit);
  for (const command of program.commands) inherit(command);
  return program;
}

const helpWidth = 80;

function commandOf(name: string): (typeof commands)[string] | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

/** Sub-commands do not take over these settings by themselves when they are made by hand. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError("(add --help to see what it takes)");
  for (const inner of command.commands) inherit(inner);
}
