import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { listen } from "./interrupt.ts";
import { addPlaceOptions, type PlaceOptions, toCloudOptions } from "./options.ts";

type CleanOptions = PlaceOptions & { readonly stateDir: string };

/** `imgspec clean RUN`: gives back what a run that was killed, or told to keep things, still holds. */
export function addClean(program: Command, exit: (code: number) => void): void {
  addPlaceOptions(
    program
      .command("clean")
      .description(
        "Give back what a run still holds: its instance, key pair, security group, parts. Reads its journal.",
      )
      .argument("<run>", "the run's id, such as 20261122-213330-k3v9")
      .option("--state-dir <directory>", "where runs are", ".imgspec/runs"),
  )
    .addHelpText("after", "\nExample:\n  imgspec clean 20261122-213330-k3v9")
    .action(async (run: string, options: CleanOptions) => {
      const directory = resolve(options.stateDir, run);
      const [{ openJournal, readJournal }, { unreleased }, { clean }, { toCloud }, { resources }] =
        await Promise.all([
          import("../journal/journal-file.ts"),
          import("../journal/journal.ts"),
          import("../journal/clean.ts"),
          import("../aws/sdk-cloud.ts"),
          import("../stage/resources.ts"),
        ]);
      const entries = await readJournal(directory);
      if (entries.length === 0) throw await noSuchRun(run, options.stateDir);
      const count = unreleased(entries).length;
      if (count === 0) {
        process.stdout.write(`run ${run} holds nothing\n`);
        return;
      }
      using interrupt = listen();
      await using journal = await openJournal(directory);
      const cloud = toCloud(await whereItWas(entries, options));
      const leaked = await clean(journal, {
        cloud,
        abandon: interrupt.signal,
        resources,
        onChange: ({ change, name, reason, byHand }) => {
          const why = reason === undefined ? "" : `: ${reason}`;
          const how = byHand === undefined ? "" : `\n  by hand: ${byHand}`;
          process.stdout.write(`${change} ${name}${why}${how}\n`);
        },
        log: (_task, line) => process.stderr.write(`${line}\n`),
      });
      process.stdout.write(`${count - leaked.length} of ${count} given back\n`);
      if (leaked.length > 0) exit(8);
    });
}

/** A run against an emulator or another endpoint is cleaned there, without being told again. */
async function whereItWas(
  entries: Awaited<ReturnType<typeof import("../journal/journal-file.ts").readJournal>>,
  options: PlaceOptions,
): ReturnType<typeof toCloudOptions> {
  if (options.emulator !== undefined || options.endpointUrl !== undefined) return toCloudOptions(options);
  const started = entries.find((entry) => entry.type === "started");
  const url = started?.endpointUrl;
  if (!url) return {};
  // Any answer, also a refusal, is a sign of life: then it is an endpoint that is no emulator.
  const alive = await fetch(url).then(
    () => true,
    () => false,
  );
  if (!alive) {
    throw new Problem("network-failed", `the run was against ${url}, which does not answer any more`, {
      hint: "an emulator that is gone has taken everything with it: there is nothing to give back",
    });
  }
  return toCloudOptions({ emulator: url }).catch(() => ({ endpointUrl: url }));
}

async function noSuchRun(run: string, stateDirectory: string): Promise<Problem> {
  const runs = await readdir(join(stateDirectory)).catch(() => []);
  const hint =
    runs.length === 0
      ? "name the directory that holds the runs with --state-dir"
      : `the runs there: ${runs.sort().slice(-5).join(", ")}`;
  return new Problem("usage-wrong", `there is no run ${run} in ${stateDirectory}`, { hint });
}
