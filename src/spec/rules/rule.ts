import type { Path } from "../../document/node.ts";
import type { Region } from "../../util/region.ts";
import type { Finding } from "../finding.ts";
import type { WrittenImage } from "../image.gen.ts";

/** What rules may ask beyond the written image. */
export type RuleContext = {
  readonly region: Region;
  /** When the build begins. */
  readonly now: Date;
  /** Why a local path, relative to the spec, cannot be used; `undefined` when it can. */
  readonly fileProblem: (path: string, kind: "file" | "any") => string | undefined;
  /** Whether the schema found nothing wrong at, above or below a path. */
  readonly isSound: (path: Path) => boolean;
  /** Whether the schema found something wrong at or above a path: what is below it may be sound or not. */
  readonly isRefused: (path: Path) => boolean;
};

/** Something that the schema cannot say. It is asked only where all that it needs has passed the schema. */
export type Rule = {
  readonly needs: readonly Path[];
  readonly find: (image: WrittenImage, context: RuleContext) => Iterable<Finding>;
};

/** A rule over each step by itself; what it uses of a step it must ask to be sound. */
export function stepRule(find: (step: Step, context: RuleContext) => Iterable<Finding>): Rule {
  return {
    needs: [],
    *find({ provision, verify }, context) {
      yield* findIn(provision, ["provision"], find, context);
      yield* findIn(verify?.tests, ["verify", "tests"], find, context);
    },
  };
}

/** What is no list of maps the schema has refused. */
function* findIn(
  steps: readonly WrittenStep[] | undefined,
  list: Path,
  find: (step: Step, context: RuleContext) => Iterable<Finding>,
  context: RuleContext,
): Iterable<Finding> {
  if (!Array.isArray(steps)) return;
  for (const [index, written] of (steps as readonly (WrittenStep | null)[]).entries())
    if (written !== null) yield* find({ written, at: [...list, index] }, context);
}

export type Step = { readonly written: WrittenStep; readonly at: Path };
type WrittenStep = Omit<WrittenImage["provision"][number], "download">;
