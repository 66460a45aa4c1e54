import { expect, test } from "vitest";
import type { Text } from "../../src/document/text.ts";
import type { Imported } from "../../src/import/imported.ts";
import { readHclTemplate } from "../../src/import/packer-hcl.ts";
import { readJsonTemplate } from "../../src/import/packer-json.ts";
import { toImageSpec } from "../../src/import/to-image-spec.ts";
import { withVarFiles } from "../../src/import/var-file.ts";
import { Problem } from "../../src/problem.ts";
import { jsonWith, toldOf } from "./reading.ts";

const hcl = {
  path: "web.pkr.hcl",
  content: `
variable "region" {}
variable "type" { default = "m3.medium" }
variable "commit" { default = env("GIT_COMMIT") }
variable "token" { sensitive = true }
source "amazon-instance" "web" {
  region        = var.region
  source_ami    = "ami-0123456789abcdef0"
  instance_type = var.type
  ssh_username  = "ec2-user"
  s3_bucket     = "acme-images"
  ami_name      = "web-\${var.commit}"
  ami_description = var.token
}`,
};

test("values of a file of variables become defaults, and the last file wins", () => {
  const { text, leftovers } = withFiles(
    { path: "a.pkrvars.hcl", content: 'region = "eu-west-1" # far\ntype = "m3.large"\ncommit = "0f1e2d3"\n' },
    { path: "b.pkrvars.json", content: '{ "type": "m3.xlarge" }' },
  );
  expect(text).toContain("regions:\n  eu-west-1: {}");
  expect(text).toContain("default: m3.xlarge");
  expect(text).toContain("default: 0f1e2d3");
  expect(toldOf(leftovers)).not.toContain("GIT_COMMIT");
});

test("a secret in such a file is told and not written", () => {
  const { text, leftovers } = withFiles({
    path: "s.pkrvars.hcl",
    content: 'token = "CANARY"\nregion = "us-east-1"',
  });
  expect(`${text}${toldOf(leftovers)}`).not.toContain("CANARY");
  expect(text).toContain("token:\n    sensitive: true\n");
  expect(toldOf(leftovers)).toContain("the default of variable token: the spec holds no secrets");
});

test("a value for a variable that there is not is told with its place", () => {
  const { leftovers } = withFiles({ path: "c.pkrvars.hcl", content: '\nregoin = "us-east-1"' });
  expect(toldOf(leftovers)).toContain(
    "c.pkrvars.hcl:2:1 not-carried-over warning: variable regoin: the template declares no such variable\n  hint: did you mean region?",
  );
});

test("a template in JSON takes them too", () => {
  const template = readJsonTemplate(
    jsonWith({ instance_type: "{{user `type`}}" }, { variables: { type: "m3.medium" } }),
  );
  const { text } = toImageSpec(
    withVarFiles(template, [{ path: "v.json", content: '{"type": "m3.large"}' }]),
    "image.yaml",
    undefined,
  );
  expect(text).toContain("default: m3.large");
});

test("a mistake in JSON has the place of its text", () => {
  const content =
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is HCL's
    '{\n  "source": {"amazon-instance": {"a": {"region": "x${"}}},\n  "build": {"provisioner": "shell"}\n}';
  const read = (text: Text): string => {
    try {
      return String(readHclTemplate([text]));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      return error.diagnostics
        .map(({ place, message }) => `${place.line}:${place.column} ${message}`)
        .join("; ");
    }
  };
  expect(read({ path: "a.pkr.json", content })).toBe("2:50 a value was expected here");
  expect(read({ path: "a.pkr.json", content: content.replace("x${", "x") })).toBe(
    "3:28 provisioner is a block: a map was expected",
  );
});

function withFiles(...files: readonly Text[]): Imported {
  return toImageSpec(withVarFiles(readHclTemplate([hcl]), files), "image.yaml", undefined);
}
