import { type Command, InvalidArgumentError, Option } from "commander";
import type { CloudOptions } from "../aws/cloud.ts";
import { Problem } from "../problem.ts";

/** What every command that reads a spec takes. */
export type SpecOptions = {
  readonly var?: Readonly<Record<string, string>>;
  readonly varFile?: readonly string[];
  readonly region?: readonly string[];
};

export function addSpecOptions(command: Command, region = "only this region of the spec"): Command {
  return command
    .option("--var <name=value>", "set a variable of the spec (repeatable)", collectVariable)
    .option("--var-file <path>", "set variables from a YAML file of names and values (repeatable)", collect)
    .option("-r, --region <name>", `${region} (repeatable)`, collect);
}

/** Where the cloud is: AWS, or something that speaks its language. */
export type PlaceOptions = { readonly endpointUrl?: string; readonly emulator?: string };

export function addPlaceOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--emulator <url>", "use an emulator that `imgspec emulator start` runs")
        .argParser(toUrl)
        .conflicts("endpointUrl"),
    )
    .option("--endpoint-url <url>", "send every AWS call to this URL", toUrl);
}

/** Asks a running emulator for its addresses, credentials and certificates; or takes them from the options. */
export async function toCloudOptions({ emulator, endpointUrl }: PlaceOptions): Promise<CloudOptions> {
  if (emulator === undefined) return endpointUrl === undefined ? {} : { endpointUrl };
  const url = new URL("/_imgspec/cloud", emulator);
  try {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return (await response.json()) as CloudOptions;
  } catch (cause) {
    throw new Problem("network-failed", `no emulator answers at ${emulator}`, {
      hint: "start one with: imgspec emulator start",
      cause,
    });
  }
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function collectVariable(
  value: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const equals = value.indexOf("=");
  if (equals < 1) throw new InvalidArgumentError('write it as name=value, such as --var release="2026.11"');
  return { ...before, [value.slice(0, equals)]: value.slice(equals + 1) };
}

/** Empty is what a script makes of a variable that is not set: it must not mean everything. */
export function toText(value: string): string {
  if (value !== "") return value;
  throw new InvalidArgumentError("it is empty");
}

export function toCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1)
    throw new InvalidArgumentError("a whole number from 1 on is needed");
  return count;
}

function toUrl(value: string): string {
  if (/^https?:\/\/[^/]/.test(value) && URL.canParse(value)) return value;
  throw new InvalidArgumentError("write it as http://127.0.0.1:4566");
}
