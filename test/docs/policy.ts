import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, textOf } from "./pages.ts";

/** A call that src/aws can make, and the IAM action that it needs: S3 names some otherwise. */
export type Call = { readonly name: string; readonly action: string };

const readings: Readonly<Record<string, string>> = {
  HeadBucket: "ListBucket",
  HeadObject: "GetObject",
  ListObjectsV2: "ListBucket",
  DeleteObjects: "DeleteObject",
};

/** Actions that no call is named after: setting tags, an ACL or a role is a permission of its own. */
export const besides: readonly string[] = ["ec2:CreateTags", "iam:PassRole", "s3:PutObjectAcl"];

/** The calls to EC2 and S3; that of STS needs no permission. */
export function calls(): readonly Call[] {
  const folder = join(root, "src/aws");
  return readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const service = /"@aws-sdk\/client-(ec2|s3)"/.exec(text)?.[1];
    if (service === undefined) return [];
    return [...text.matchAll(/new (\w+)Command\(/g)].map(([, name = ""]) => ({
      name,
      action: `${service}:${readings[name] ?? name}`,
    }));
  });
}

/** The actions of the policy that a page gives. */
export function allowed(page = "docs/aws.md"): readonly string[] {
  const [, json = ""] = /^```json\n([\s\S]*?)^```$/m.exec(textOf(page)) ?? [];
  const { Statement } = JSON.parse(json) as { Statement: { Action: string[] }[] };
  return Statement.flatMap(({ Action }) => Action);
}
