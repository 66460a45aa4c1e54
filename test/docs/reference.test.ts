import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { toProgram } from "../../src/cli.ts";
import { problemCodes } from "../../src/problem.ts";
import { errorCodes, warningCodes } from "../../src/spec/diagnostics.ts";
import { root, textOf } from "./pages.ts";

const stale = "stale: npm run build && npm run docs";

type ToPage = (of: unknown) => string;

test("docs/reference/cli.md is what the commands say of themselves", async () => {
  const toPage = await load<ToPage>("docs/generate/cli-page.mjs", "toCliPage");
  expect(textOf("docs/reference/cli.md"), stale).toBe(toPage(toProgram(() => undefined)));
});

test("docs/reference/spec.md is what the schema says", async () => {
  const toPage = await load<ToPage>("docs/generate/spec-page.mjs", "toSpecPage");
  const assemble = await load<() => unknown>("schemas/assemble.mjs", "assemble");
  expect(textOf("docs/reference/spec.md"), stale).toBe(toPage(assemble()));
});

test("docs/reference/diagnostics.md has every code of a diagnostic", async () => {
  const toPage = await load<ToPage>("docs/generate/diagnostics-page.mjs", "toDiagnosticsPage");
  expect(textOf("docs/reference/diagnostics.md"), stale).toBe(toPage({ errorCodes, warningCodes }));
});

test("docs/output.md has every type of event, and every code of a failure", () => {
  const schema = JSON.parse(readFileSync(join(root, "schemas/event.v1.schema.json"), "utf8")) as {
    oneOf: { title: string }[];
  };
  const page = textOf("docs/output.md");
  const told = [...schema.oneOf.map(({ title }) => title), ...problemCodes];
  expect(told.filter((word) => !page.includes(`\`${word}\``))).toEqual([]);
});

test("the policy in docs/aws.md allows just what a build asks of EC2 and S3", () => {
  const [, json = ""] = /^```json\n([\s\S]*?)^```$/m.exec(textOf("docs/aws.md")) ?? [];
  const { Statement } = JSON.parse(json) as { Statement: { Action: string[] }[] };
  const allowed = Statement.flatMap(({ Action }) => Action);
  // Setting tags, an ACL or a role is a permission of its own, though no call of its own.
  const besides = ["ec2:CreateTags", "iam:PassRole", "s3:PutObjectAcl"];
  expect(allowed.sort()).toEqual([...new Set([...actionsOfSource(), ...besides])].sort());
});

/** IAM's names of the calls that src/aws makes. Two of S3 are named after what they read. */
function actionsOfSource(): readonly string[] {
  const folder = join(root, "src/aws");
  const other: Readonly<Record<string, string>> = { HeadBucket: "ListBucket", HeadObject: "GetObject" };
  return readdirSync(folder).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const calls = [...text.matchAll(/new (\w+)Command\(/g)].map(([, name = ""]) => other[name] ?? name);
    const service = /"@aws-sdk\/client-(\w+)"/.exec(text)?.[1] ?? "";
    return ["ec2", "s3"].includes(service) ? calls.map((name) => `${service}:${name}`) : [];
  });
}

/** One export of a script that is plain JavaScript. */
async function load<T>(path: string, name: string): Promise<T> {
  const all = (await import(/* @vite-ignore */ pathToFileURL(join(root, path)).href)) as Record<string, T>;
  const one = all[name];
  if (one === undefined) throw new Error(`${path} exports no ${name}`);
  return one;
}
