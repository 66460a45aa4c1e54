import type { Command } from "commander";
import type { Account, Cloud } from "../aws/cloud.ts";
import type { BuiltImage } from "../image/built-image.ts";
import type { SurveyFailure } from "../image/survey.ts";
import { exitCodeOf } from "../problem.ts";
import { loadSpec } from "./load.ts";
import { addPlaceOptions, addSpecOptions, collect, type PlaceOptions, type SpecOptions } from "./options.ts";
import { openCloud } from "./store-options.ts";

/** Which regions are asked, and by whom. */
export type WhereOptions = PlaceOptions & { readonly profile?: string; readonly region?: readonly string[] };

const eachRegion = "only this region; every enabled one when absent";
const profile = [
  "--profile <name>",
  "of the AWS configuration; the usual chain of credentials when absent",
] as const;

export function addWhereOptions(command: Command): Command {
  return addPlaceOptions(
    command.option(...profile).option("-r, --region <name>", `${eachRegion} (repeatable)`, collect),
  );
}

/** The same where a spec may say it. */
export type SpecWhereOptions = WhereOptions & SpecOptions & { readonly spec?: string };

export function addSpecWhereOptions(command: Command): Command {
  return addPlaceOptions(
    addSpecOptions(
      command
        .argument("[spec]", "an image spec: only its images, in its regions, by its profiles")
        .option("--spec <name>", "the same by the spec's name, in all regions")
        .option(...profile),
      "only this region; all of the spec, or every enabled one, when absent",
    ),
  );
}

/** The cloud, whom to ask in it, and the name of the spec that is meant. */
export type Scope = {
  readonly cloud: Cloud;
  readonly accounts: readonly Account[];
  readonly spec: string | null;
};

export async function toScope(
  path: string | undefined,
  options: SpecWhereOptions,
  signal: AbortSignal,
): Promise<Scope> {
  const cloud = await openCloud(options);
  if (path === undefined) {
    const { toAccounts } = await import("../image/survey.ts");
    const { region: regions = [] } = options;
    const accounts = await toAccounts(cloud, { profile: options.profile, regions }, signal);
    return { cloud, accounts, spec: options.spec ?? null };
  }
  const { spec } = await loadSpec(path, { ...options, ask: true });
  const accounts = new Map<string, Account>();
  for (const { region, profile: own } of spec.images) {
    const name = options.profile ?? own;
    const account = { region: region.name, ...(name === null ? {} : { profile: name }) };
    accounts.set(JSON.stringify(account), account);
  }
  return { cloud, accounts: [...accounts.values()], spec: options.spec ?? spec.name };
}

/** An image as every command prints it in JSON. */
export function toImageJson({ account, location, tags: _, id, ...facts }: BuiltImage): object {
  return {
    imageId: id,
    region: account.region,
    profile: account.profile ?? null,
    ...facts,
    manifest: location === "" ? null : `s3://${location}`,
  };
}

/** A region that did not answer, in JSON. */
export function toFailureJson({ account, problem }: SurveyFailure): object {
  return {
    region: account.region,
    profile: account.profile ?? null,
    code: problem.code,
    message: problem.message,
    hint: problem.hint ?? null,
  };
}

/** Says on stderr which regions did not answer; the exit code of the first, or 0. */
export function tellFailures(failures: readonly SurveyFailure[]): number {
  for (const { account, problem } of failures) {
    process.stderr.write(`imgspec: no answer from ${account.region}: ${problem.message}\n`);
    if (problem.hint) process.stderr.write(`  hint: ${problem.hint}\n`);
  }
  const [first] = failures;
  return first === undefined ? 0 : (exitCodeOf(first.problem.code) ?? 4);
}

/** For tables: the terminal's width, or null where what is printed goes elsewhere and nothing may be cut. */
export function tableWidth({ isTTY, columns }: NodeJS.WriteStream): number | null {
  return isTTY ? (columns ?? 80) : null;
}

/** A point in time for tables, to the minute: `2026-11-22 21:33`, UTC. */
export function toMinute(createdAt: string): string {
  return createdAt.slice(0, 16).replace("T", " ");
}

/** `web`, or `web/x86_64-small` where a region has several images of a spec. */
export function toSpecWords(spec: string | null, variant: string | null): string {
  return variant === null ? (spec ?? "-") : `${spec ?? "-"}/${variant}`;
}
