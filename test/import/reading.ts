import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Diagnostic } from "../../src/diagnostic.ts";
import { toExcerpts } from "../../src/document/excerpt.ts";
import type { Text } from "../../src/document/text.ts";
import { toBootstrapSpec } from "../../src/import/bootstrap-vz.ts";
import type { Imported } from "../../src/import/imported.ts";
import { readHclTemplate } from "../../src/import/packer-hcl.ts";
import { readJsonTemplate } from "../../src/import/packer-json.ts";
import { toImageSpec } from "../../src/import/to-image-spec.ts";
import { Problem } from "../../src/problem.ts";
import { readSpec } from "../../src/spec/read-spec.ts";

/** Imports a template for a spec beside it. */
export function imported({ path, content }: Text, builder?: string): Imported {
  if (path.endsWith(".yml"))
    return toBootstrapSpec({ path, content }, { manifest: path, spec: "image.yaml" });
  const template = /\.hcl$|\.pkr\.json$/.test(path)
    ? readHclTemplate([{ path, content }])
    : readJsonTemplate({ path, content });
  return toImageSpec(template, "image.yaml", builder);
}

/** A template of one amazon-instance builder, with what a spec must have. */
export function jsonWith(options: object, rest: object = {}): Text {
  const builder = {
    type: "amazon-instance",
    region: "us-east-1",
    source_ami: "ami-0123456789abcdef0",
    instance_type: "m3.medium",
    ssh_username: "ec2-user",
    s3_bucket: "acme-images",
    ...options,
  };
  return { path: "web.json", content: JSON.stringify({ builders: [builder], ...rest }, null, 2) };
}

/** As the command prints them. */
export function toldOf(leftovers: readonly Diagnostic[]): string {
  return toExcerpts(leftovers, () => undefined);
}

/** Codes of what `validate` says of a text, with the variables set. */
export async function mistakesIn(
  text: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<readonly Diagnostic[]> {
  const folder = await mkdtemp(join(tmpdir(), "imgspec-import-"));
  const path = join(folder, "image.yaml");
  await writeFile(path, text);
  try {
    const build = { id: "20261122-213330-k3v9", now: new Date(Date.UTC(2026, 10, 22)) };
    return (await readSpec(path, { variables, environment: {}, build })).warnings;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return error.diagnostics;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
