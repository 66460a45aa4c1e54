import type { Rule } from "./rule.ts";

/** Rules for names of general purpose buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const bucketRules: readonly (readonly [isRight: (name: string) => boolean, why: string])[] = [
  [(name) => name.length >= 3 && name.length <= 63, "it must have 3 to 63 characters"],
  [(name) => /^[a-z0-9.-]*$/.test(name), 'it may have lower-case letters, digits, "." and "-" only'],
  [(name) => /^[a-z0-9].*[a-z0-9]$/.test(name), "it must begin and end with a letter or digit"],
  [(name) => !name.includes(".."), 'it must not have two "." in a row'],
  [(name) => !/^\d+\.\d+\.\d+\.\d+$/.test(name), "it must not look like an IP address"],
  [(name) => !/^(xn--|sthree-|amzn-s3-demo-)/.test(name), "S3 keeps names that begin like this for itself"],
  [
    (name) => !/(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/.test(name),
    "S3 keeps names that end like this for itself",
  ],
];

export const bucketName: Rule = {
  needs: [["upload", "bucket"]],
  *find({ upload: { bucket } }) {
    const [, why] = bucketRules.find(([isRight]) => !isRight(bucket)) ?? [];
    if (why === undefined) return;
    const message = `"${bucket}" cannot be the name of a bucket: ${why}`;
    const hint = bucket.includes("/") ? "put what follows the bucket's name into prefix" : undefined;
    yield { code: "bucket-name-wrong", at: ["upload", "bucket"], message, hint };
  },
};

export const prefixHasNoEmptyParts: Rule = {
  needs: [["upload", "prefix"]],
  *find({ upload: { prefix } }) {
    if (prefix === undefined || !/^\/|\/$|\/\//.test(prefix)) return;
    const right = prefix
      .split("/")
      .filter((part) => part !== "")
      .join("/");
    const message = `the prefix "${prefix}" has a "/" too many`;
    yield { code: "prefix-wrong", at: ["upload", "prefix"], message, hint: `write "${right}"` };
  },
};
