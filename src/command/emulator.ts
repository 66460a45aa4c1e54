import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { openEmulator, toFurniture, virtualizationOf } from "./emulate.ts";
import { addInstanceOptions, type InstanceOptions } from "./instance-options.ts";
import { listen } from "./interrupt.ts";
import { type Loaded, loadSpec } from "./load.ts";
import { addSpecOptions, collect, type SpecOptions } from "./options.ts";

type StartOptions = SpecOptions &
  InstanceOptions & {
    readonly port: number;
    readonly dir?: string;
    readonly for?: readonly string[];
  };

/** `imgspec emulator start`: the AWS of `build --emulate`, for as long as one wants it and for other clients. */
export function addEmulator(program: Command): void {
  const emulator = program
    .command("emulator")
    .description("Run the embedded AWS: EC2, S3, STS and the EBS direct APIs on loopback.");
  addInstanceOptions(
    addSpecOptions(
      emulator
        .command("start")
        .description("Start an emulator and keep it running until Ctrl-C.")
        .option("--port <number>", "the port to listen on; 0: a free one", toPort, 0)
        .option("--dir <directory>", "keep its state there; by default it is forgotten at the end")
        .option(
          "--for <spec>",
          "make the buckets and source AMIs that this spec expects (repeatable)",
          collect,
          [],
        ),
    ),
  )
    .addHelpText(
      "after",
      `
Examples:
  imgspec emulator start --port 4566 --for image.yaml
  imgspec emulator start --for image.yaml --instances vm --source-disk debian.img
  imgspec build image.yaml --emulator http://127.0.0.1:4566     in another terminal`,
    )
    .action(start);
}

async function start(options: StartOptions): Promise<void> {
  using interrupt = listen();
  const specs = await Promise.all((options.for ?? []).map((path) => loadSpec(path, options)));
  const { dir } = options;
  const directory = dir === undefined ? await mkdtemp(join(tmpdir(), "imgspec-emulator-")) : resolve(dir);
  try {
    await serve(directory, options, specs, interrupt.signal);
  } finally {
    if (dir === undefined) await rm(directory, { recursive: true, force: true });
  }
}

async function serve(
  directory: string,
  options: StartOptions,
  specs: readonly Loaded[],
  signal: AbortSignal,
): Promise<void> {
  await using emulator = await openEmulator(directory, options.port, options);
  const virtualization = await virtualizationOf(options);
  for (const { spec } of specs) await emulator.furnish(toFurniture(spec, virtualization));
  const { credentials } = emulator.cloud;
  process.stdout.write(
    [
      `# The emulator listens on ${emulator.url}; Ctrl-C ends it. For imgspec:`,
      `#   imgspec build image.yaml --emulator ${emulator.url}`,
      "# For other clients:",
      `export AWS_ENDPOINT_URL=${emulator.url}`,
      `export AWS_ACCESS_KEY_ID=${credentials?.accessKeyId ?? ""}`,
      `export AWS_SECRET_ACCESS_KEY=${credentials?.secretAccessKey ?? ""}`,
      // The first is what the SDKs read, the second what the AWS CLI of version 1 does.
      "export AWS_REGION=us-east-1",
      "export AWS_DEFAULT_REGION=us-east-1",
      "",
    ].join("\n"),
  );
  if (!signal.aborted) await new Promise<void>((done) => signal.addEventListener("abort", () => done()));
}

function toPort(value: string): number {
  const port = Number(value);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError("a port is 0 to 65535");
  return port;
}
