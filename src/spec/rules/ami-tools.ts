import { nearest } from "../../util/nearest.ts";
import { bundlePlaceholders, placeholdersOf, uploadPlaceholders } from "../../util/placeholders.ts";
import type { Rule } from "./rule.ts";

/** The commands of the AMI tools hold no words in braces but those that are replaced. */
export const placeholdersAreKnown: Rule = {
  needs: [["bundle"]],
  *find({ bundle }) {
    if (bundle.method !== "ami-tools") return;
    for (const [key, known] of [
      ["bundleCommand", bundlePlaceholders],
      ["uploadCommand", uploadPlaceholders],
    ] as const) {
      for (const word of placeholdersOf(bundle.amiTools[key])) {
        if (known.some((one) => one === word)) continue;
        const meant = nearest(word, known);
        const hint = meant ? `did you mean {${meant}}?` : `there are {${known.join("}, {")}}`;
        const message = `{${word}} stands for nothing here`;
        yield { code: "placeholder-wrong", at: ["bundle", "amiTools", key], message, hint };
      }
    }
  },
};

/** What the AMI tools do not know they are not asked for. */
export const amiToolsCanDoIt: Rule = {
  needs: [["bundle"], ["upload", "acl"], ["launch", "iamInstanceProfile"]],
  *find({ bundle, upload, launch }) {
    if (bundle.method !== "ami-tools") return;
    if (upload.acl === "ec2-bundle-read") {
      const message = "ec2-upload-bundle does not know the ACL ec2-bundle-read";
      const hint = "aws-exec-read lets EC2 read the bundle too";
      yield { code: "acl-wrong", at: ["upload", "acl"], message, hint };
    }
    if (bundle.amiTools.credentials === "instance-profile" && launch.iamInstanceProfile === null) {
      const message = "there is no instance profile that could upload";
      const hint = "name one in launch.iamInstanceProfile, or leave credentials out";
      yield { code: "profile-missing", at: ["bundle", "amiTools", "credentials"], message, hint };
    }
    for (const [index, path] of bundle.exclude.entries()) {
      if (!path.includes(",") && !path.includes("**")) continue;
      const message = path.includes(",")
        ? `"${path}" holds a comma, at which ec2-bundle-vol cuts its list of excludes`
        : `ec2-bundle-vol knows no "**", and refuses "${path}"`;
      const hint = "name the directory itself";
      yield { code: "exclude-wrong", at: ["bundle", "exclude", index], message, hint };
    }
  },
};
