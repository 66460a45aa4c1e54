import type { Path } from "../document/node.ts";
import type { Region } from "../util/region.ts";
import type { Finding } from "./finding.ts";
import type { WrittenImage } from "./image.gen.ts";

/** What rules may ask beyond the written image. */
export type RuleContext = {
  readonly region: Region;
  /** Whether a local path, relative to the spec, can be read; else why not. */
  readonly fileProblem: (path: string, kind: "file" | "any") => string | undefined;
};

/** Something that the schema cannot say. It runs only where the sections that it needs have passed the schema. */
export type Rule = {
  readonly needs: readonly (keyof WrittenImage)[];
  check(image: WrittenImage, context: RuleContext): Iterable<Finding>;
};

export const rules: readonly Rule[] = [];

/** What all rules find, except at and below paths that the schema has refused already. */
export function* findingsOf(
  image: WrittenImage,
  context: RuleContext,
  isSound: (path: Path) => boolean,
): Iterable<Finding> {
  for (const rule of rules) {
    if (rule.needs.every((section) => isSound([section]))) yield* rule.check(image, context);
  }
}
