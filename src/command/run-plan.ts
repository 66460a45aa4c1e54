import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dated } from "../plan/compare.ts";
import { fromJsonText, toJsonText } from "../plan/outline-json.ts";
import type { Plan } from "../plan/plan.ts";
import { Problem } from "../problem.ts";
import { writeWhole } from "../util/write-whole.ts";

const fileName = "plan.json";

/** Keeps the plan of a run in its directory. Throws `disk-full` or `journal-unusable`. */
export async function writePlan(directory: string, plan: Plan): Promise<void> {
  try {
    await writeWhole(join(directory, fileName), toJsonText(plan), 0o600);
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === "ENOSPC";
    throw new Problem(full ? "disk-full" : "journal-unusable", `the plan cannot be written to ${directory}`, {
      cause,
    });
  }
}

/** The plan of a run, or of the last run of this name. Throws `usage-wrong` where there is none. */
export async function readLastPlan(
  stateDirectory: string,
  name: string,
  run: string | undefined,
): Promise<Dated> {
  const runs = run === undefined ? (await runsIn(stateDirectory)).reverse() : [run];
  for (const id of runs) {
    const text = await readFile(join(stateDirectory, id, fileName), "utf8").catch(() => undefined);
    const plan = text === undefined ? undefined : toPlanOf(text, join(stateDirectory, id, fileName), run);
    if (plan && (run !== undefined || plan.name === name)) return { plan, run: id };
  }
  const what = run === undefined ? `no run of "${name}"` : `no run ${run}`;
  throw new Problem("usage-wrong", `there is ${what} with a plan in ${stateDirectory}`, {
    hint: "a build leaves one there; --state-dir names another place",
  });
}

/** A run that was not asked for may have a plan of another version, or none that can be read. */
function toPlanOf(text: string, path: string, asked: string | undefined): Plan | undefined {
  try {
    return fromJsonText(text);
  } catch (cause) {
    if (asked === undefined) return undefined;
    throw new Problem("usage-wrong", `${path} is no plan that this version can read`, { cause });
  }
}

/** Oldest first: ids begin with the time. */
async function runsIn(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names.sort();
}
