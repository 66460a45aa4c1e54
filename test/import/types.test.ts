// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of a spec
import { expect, test } from "vitest";
import { parse } from "yaml";
import { imported, jsonWith, mistakesIn } from "./reading.ts";

const hcl = `
variable "count" { default = 5 }
variable "fast" {
  type    = bool
  default = true
}
variable "port" { default = "2222" }
variable "team" { default = "platform" }
source "amazon-instance" "web" {
  region          = "us-east-1"
  source_ami      = "ami-0123456789abcdef0"
  instance_type   = "m3.medium"
  ssh_username    = "ec2-user"
  ssh_port        = var.port
  s3_bucket       = "acme-images"
  ami_description = var.count
  tags = {
    count = var.count
    fast  = "\${var.fast}"
    next  = var.count + 1
    rate  = var.fast ? 1 : 2
    team  = var.team
    both  = "\${var.team}-\${var.count}"
    plain = 7
  }
}
build { sources = ["source.amazon-instance.web"] }
`;

const json = jsonWith(
  {
    ami_description: "{{user `count`}}",
    ssh_port: "{{user `port`}}",
    tags: {
      count: "{{user `count`}}",
      fast: "{{user `fast`}}",
      team: "{{user `team`}}",
      both: "{{user `team`}}-{{user `count`}}",
      plain: 7,
    },
  },
  { variables: { count: 5, fast: true, port: "2222", team: "platform" } },
);

const common = {
  count: "${{ string(vars.count) }}",
  fast: "${{ string(vars.fast) }}",
  team: "${{ vars.team }}",
  both: "${{ vars.team }}-${{ vars.count }}",
  plain: "7",
};

test.each([
  [
    "HCL2",
    { path: "web.pkr.hcl", content: hcl },
    {
      ...common,
      next: "${{ string((vars.count + 1)) }}",
      rate: "${{ string((vars.fast ? 1 : 2)) }}",
    },
  ],
  ["JSON", json, common],
])(
  "what is one number in a template of %s is a text where a spec has texts, and the other way round",
  async (_, template, tags) => {
    const { text } = imported(template);
    const { register, connect } = parse(text);
    expect(register).toEqual({ description: "${{ string(vars.count) }}", tags });
    expect(connect.port).toBe("${{ int(vars.port) }}");
    expect(await mistakesIn(text)).toEqual([]);
  },
);
