import { nearest } from "../../util/nearest.ts";
import type { Rule } from "./rule.ts";

/** A source is found in exactly one way. */
export const oneSource: Rule = {
  needs: [],
  *find({ source }, { isRefused }) {
    if (isRefused(["source"])) return;
    const { image, find } = source;
    if (image !== undefined && find !== undefined) {
      const message = "source has both image and find";
      yield {
        code: "source-ambiguous",
        at: ["source", "find"],
        on: "key",
        message,
        hint: "keep one of them",
      };
    }
    if (image === undefined && find === undefined) {
      const hint = "give the id of an AMI as image, or search for one with find";
      yield { code: "source-missing", at: ["source"], on: "key", message: "source names no AMI", hint };
    }
  },
};

const words = ["self", "amazon", "aws-marketplace"];

/** An owner is an account or a word of EC2's. */
export const ownersAreAccounts: Rule = {
  needs: [["source", "find", "owner"]],
  *find({ source: { find } }) {
    if (!find) return;
    const owners = [find.owner].flat();
    for (const [index, owner] of owners.entries()) {
      if (/^\d{12}$/.test(owner) || words.includes(owner)) continue;
      const meant = nearest(owner, words);
      yield {
        code: "owner-wrong",
        at: ["source", "find", "owner", ...(Array.isArray(find.owner) ? [index] : [])],
        message: `"${owner}" is not an account id of 12 digits, nor self, amazon or aws-marketplace`,
        hint: meant ? `did you mean "${meant}"?` : undefined,
      };
    }
  },
};
