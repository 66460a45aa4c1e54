import type { Path } from "../../document/node.ts";
import type { WrittenImage } from "../image.gen.ts";
import { toMib } from "../quantity.ts";
import { file } from "./provision.ts";
import type { Rule } from "./rule.ts";

/** EC2 takes no instance store root larger than this, MiB. */
const largestMib = 10 * 1024;

export const bundleSizeFits: Rule = {
  needs: [["bundle", "size"]],
  *find({ bundle: { size } }) {
    if (size === null || toMib(size) <= largestMib) return;
    const message = `${size} is more than the 10GiB that an instance store root volume can have`;
    yield { code: "size-wrong", at: ["bundle", "size"], message, hint: "10GiB is the largest" };
  },
};

export const globsAreAbsolute: readonly Rule[] = [
  ["bundle", "exclude"],
  ["bundle", "include"],
  ["bundle", "hygiene", "allow"],
].map((at) => ({
  needs: [at],
  *find({ bundle }) {
    const globs = globsOf(bundle, at);
    for (const [index, glob] of globs.entries()) {
      if (glob.includes("\n")) {
        yield { code: "exclude-wrong", at: [...at, index], message: "a glob cannot have a line end" };
      } else if (!glob.startsWith("/")) {
        const message = `"${glob}" is not absolute`;
        yield { code: "exclude-wrong", at: [...at, index], message, hint: `begin it with "/": /${glob}` };
      }
    }
  },
}));

function globsOf(bundle: WrittenImage["bundle"], at: Path): readonly string[] {
  if (at.includes("exclude")) return bundle.exclude;
  if (bundle.method === "ami-tools") return [];
  return at.includes("include") ? bundle.include : bundle.hygiene.allow;
}

/** What the image takes from this machine is there. */
export const imageFilesExist: Rule = {
  needs: [
    ["bundle", "fstab"],
    ["bundle", "script"],
  ],
  *find({ bundle }, context) {
    if (bundle.method === "ami-tools") return;
    const { fstab, script } = bundle;
    if (fstab !== "keep" && fstab !== "generate") yield* file(fstab, "file", ["bundle", "fstab"], context);
    yield* file(script ?? undefined, "file", ["bundle", "script"], context);
  },
};
