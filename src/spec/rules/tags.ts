import type { Rule } from "./rule.ts";

/** Limits of EC2's tags: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html */
export const tagsAreTaken: Rule = {
  needs: [],
  *find({ launch, register }, { isRefused }) {
    for (const [section, owner] of [["launch", launch] as const, ["register", register] as const]) {
      if (isRefused([section, "tags"])) continue;
      for (const [key, value] of Object.entries(owner.tags)) {
        const wrong = wrongKey(key);
        const at = [section, "tags", key];
        if (wrong) yield { code: "tag-wrong", at, on: "key", message: `the tag "${key}" ${wrong}` };
        // The other values may be sound where one is not text.
        if (typeof value !== "string" || value.length <= 256) continue;
        yield {
          code: "tag-wrong",
          at,
          message: `the value of the tag "${key}" has more than 256 characters`,
        };
      }
    }
  },
};

function wrongKey(key: string): string | undefined {
  if (key === "") return "has no name";
  if (key.length > 128) return "has a name of more than 128 characters";
  return /^aws:/i.test(key) ? "begins with aws:, which AWS keeps for itself" : undefined;
}
