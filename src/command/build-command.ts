import { type Command, Option } from "commander";
import { Problem } from "../problem.ts";
import type { OutputMode, Reporter } from "../report/reporter.ts";
import type { OnFailure } from "../run/run.ts";
import { canAsk } from "./ask.ts";
import { addInstanceOptions, type InstanceOptions, sourceDiskOf } from "./instance-options.ts";
import { type Interrupt, listen } from "./interrupt.ts";
import {
  addPlaceOptions,
  addSpecOptions,
  type PlaceOptions,
  type SpecOptions,
  toCloudOptions,
  toCount,
} from "./options.ts";
import { tellDiagnostics } from "./tell.ts";

type BuildCommandOptions = SpecOptions &
  PlaceOptions &
  InstanceOptions & {
    readonly emulate?: boolean;
    readonly try?: string;
    readonly output: OutputMode;
    readonly quiet?: boolean;
    readonly color: boolean;
    readonly skipBreakpoints?: boolean;
    readonly onFailure: "clean" | "keep" | "ask";
    readonly concurrency?: number;
    readonly result: string;
    readonly stateDir: string;
  };

/** `imgspec build`: from a spec to registered images. */
export function addBuild(program: Command, exit: (code: number) => void): void {
  const command = program
    .command("build")
    .description("Build the images of a spec: launch, provision, bundle, upload, verify, register, clean up.")
    .argument("<spec>", "the image spec, a YAML file");
  addPlaceOptions(addSpecOptions(command)).addOption(
    new Option("--emulate", "build on an AWS inside this process").conflicts(["emulator", "endpointUrl"]),
  );
  addInstanceOptions(command)
    .option("--try <command>", "afterwards launch each new image and run this in it; it must exit with 0")
    .addOption(
      new Option("-o, --output <mode>", "how to show the run: tree on a terminal, plain lines elsewhere")
        .choices(["auto", "tree", "plain", "ndjson", "quiet"])
        .default("auto"),
    )
    .option("-q, --quiet", "the same as --output quiet: failures and image ids only")
    .option("--no-color", "without colours, as with NO_COLOR set")
    .addOption(
      new Option("--on-failure <what>", "what becomes of the instance and the rest when a region fails")
        .choices(["clean", "keep", "ask"])
        .default("clean"),
    )
    .option("--skip-breakpoints", "do not wait at the breakpoints of the spec")
    .option("--concurrency <count>", "tasks at work at once, over all regions", toCount)
    .option("--result <file>", "where to write the result", "imgspec-result.json")
    .option(
      "--state-dir <directory>",
      "where the journals, keys and spooled parts of runs are",
      ".imgspec/runs",
    )
    .addHelpText(
      "after",
      `
Examples:
  imgspec build image.yaml --emulate --try 'cat /etc/motd'
  imgspec build image.yaml --region us-east-1 --var release=2026.11
  imgspec build image.yaml --output ndjson | jq -r 'select(.type == "task.failed").message'

Ctrl-C ends the build and gives everything back; a second Ctrl-C stops that too and lists what is left.`,
    )
    .action(async (path: string, options: BuildCommandOptions) => exit(await act(path, options)));
}

async function act(path: string, options: BuildCommandOptions): Promise<number> {
  if (options.emulate && options.onFailure !== "clean") {
    throw new Problem(
      "usage-wrong",
      `--on-failure ${options.onFailure} keeps nothing with --emulate: it ends with the build`,
      {
        hint: "run `imgspec emulator start` in another terminal, and build with --emulator and its URL",
      },
    );
  }
  if (!options.emulate && sourceDiskOf(options) !== undefined) {
    throw new Problem("usage-wrong", "--instances and --source-disk are for builds with --emulate", {
      hint: "give them to `imgspec emulator start` if it runs on its own",
    });
  }
  const cloud = options.emulate ? "emulate" : await toCloudOptions(options);
  const [{ build }, { chooseReporter }] = await Promise.all([
    import("./build.ts"),
    import("../report/reporter.ts"),
  ]);
  using interrupt = listen();
  await using reporter = await chooseReporter({
    output: options.quiet ? "quiet" : options.output,
    stream: process.stdout,
    environment: process.env,
    color: options.color ? "auto" : "never",
    onClosed: () => interrupt.end("the reader of its output going away"),
  });
  const result = await build(path, {
    cloud,
    emulated: options,
    variables: options.var ?? {},
    variableFiles: options.varFile ?? [],
    ask: true,
    regions: options.region ?? [],
    stateDirectory: options.stateDir,
    resultPath: options.result,
    onFailure: options.onFailure === "ask" ? toQuestion(reporter, interrupt) : options.onFailure,
    signal: interrupt.signal,
    abandon: interrupt.abandon,
    onEvent: (event) => reporter.report(event),
    onWarnings: tellDiagnostics,
    onResult: (result) => reporter.finish(result),
    skipBreakpoints: options.skipBreakpoints ?? false,
    onQuestion: canAsk() ? (await import("./ask-at-breakpoint.ts")).toAsk(reporter, interrupt) : undefined,
    ...(options.try === undefined ? {} : { tryCommand: options.try }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  return result.exitCode;
}

/** Without a terminal there is nobody to ask, and what costs money goes. */
function toQuestion(reporter: Reporter, { signal }: Interrupt): OnFailure {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return "clean";
  return async () => {
    await reporter.idle();
    const { createInterface } = await import("node:readline/promises");
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      const answer = await terminal.question("Give back the instance and the rest now? [Y/n] ", { signal });
      return /^n/i.test(answer.trim()) ? "keep" : "clean";
    } finally {
      terminal.close();
    }
  };
}
