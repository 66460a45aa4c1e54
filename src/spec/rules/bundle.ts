import { toMib } from "../quantity.ts";
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

export const excludesAreAbsolute: Rule = {
  needs: [["bundle", "exclude"]],
  *find({ bundle: { exclude } }) {
    for (const [index, glob] of exclude.entries()) {
      if (glob.startsWith("/")) continue;
      const message = `"${glob}" is not absolute`;
      yield {
        code: "exclude-wrong",
        at: ["bundle", "exclude", index],
        message,
        hint: `begin it with "/": /${glob}`,
      };
    }
  },
};
