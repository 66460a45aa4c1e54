import type { HeldMachine } from "../machine/held-machine.ts";
import { removeDirectory, type Survey, type SurveyOptions, survey } from "../machine/survey.ts";
import { Problem } from "../problem.ts";
import type { BundleInput } from "./bundle.ts";
import { joinKey } from "./preflight.ts";
import type { StageContext } from "./stage.ts";

/** Where a bundle can be made on an instance; disposing removes the directory. */
export type InstancePlace = AsyncDisposable & {
  readonly held: HeldMachine;
  readonly directory: string;
};

/** A clock that is off by more is worth a line. */
const skewSeconds = 60;

/**
 * Where the instance bundles itself, as far as that was asked for and it can; null: it is done here. Says in the log
 * which it is, and why.
 */
export async function findInstancePlace(
  input: BundleInput,
  held: HeldMachine,
  context: StageContext,
): Promise<InstancePlace | null> {
  if (input.at === "builder") return null;
  const sudo = input.on.user !== "root";
  const url = await endpointOf(input, context);
  const seen = await lookOver(held, { level: levelThere(input), url, sudo, signal: context.signal });
  const { directory, aheadSeconds } = seen;
  const why = whyNot(seen, url);
  if (directory !== null && why === null) {
    context.log(`bundling on the instance: it has all it takes and reaches ${url}`);
    if (Math.abs(aheadSeconds) > skewSeconds) {
      context.log(`the instance's clock is ${toSkew(aheadSeconds)} the builder's`);
    }
    const dispose = (): Promise<void> => removeDirectory(held, directory);
    return { held, directory, [Symbol.asyncDispose]: dispose };
  }
  if (directory !== null) await removeDirectory(held, directory);
  context.log(
    input.at === "instance"
      ? `bundling on this machine although bundle.at is instance: ${why}`
      : `bundling on this machine: ${why}`,
  );
  return null;
}

/** Of pigz or gzip; 5 makes parts about as large as our own default. */
export function levelThere({ compression }: BundleInput): number {
  return compression ?? 5;
}

/** An instance on which not even that can be run may still be read over SSH. */
async function lookOver(held: HeldMachine, options: SurveyOptions): Promise<Survey> {
  try {
    return await survey(held, options);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== "command-failed") throw error;
    return {
      lacks: [`a way to find out (${error.message})`],
      unreachable: null,
      aheadSeconds: 0,
      directory: null,
    };
  }
}

function whyNot({ lacks, unreachable }: Survey, url: string): string | null {
  if (lacks.length > 0) return `the instance lacks ${lacks.join(", ")}`;
  return unreachable === null ? null : `the instance does not reach ${url} (${unreachable})`;
}

/** The address of S3 that the parts will be put to. */
async function endpointOf({ on, upload }: BundleInput, { cloud, signal }: StageContext): Promise<string> {
  const where = { bucket: upload.bucket, key: joinKey(upload.prefix, "part") };
  const body = { sizeBytes: 1, sha1: "0".repeat(40), contentType: "text/plain", acl: upload.acl };
  const { url } = await cloud.account(on.account).presignPut(where, body, 1, signal);
  return `${new URL(url).origin}/`;
}

function toSkew(aheadSeconds: number): string {
  const minutes = Math.round(Math.abs(aheadSeconds) / 60);
  return `${minutes} min ${aheadSeconds > 0 ? "ahead of" : "behind"}`;
}
