// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of a spec
import { expect, test } from "vitest";
import { toDuration } from "../../src/import/duration.ts";
import { fromGoTemplate } from "../../src/import/go-template.ts";
import { fromHclLayout } from "../../src/import/time-layout.ts";

test.each([
  ["plain", "plain"],
  ["{{user `release`}}", "<vars.release>"],
  ['a {{ user "build-number" }} b', "a <vars.build_number> b"],
  ["{{timestamp}}", "<build.now.format('%Y%m%d%H%M%S')>"],
  ['{{isotime "2006.01.02 15:04:05"}}', "<build.now.format('%Y.%m.%d %H:%M:%S')>"],
  ["{{isotime | clean_resource_name}}", "<build.now.format('%Y-%m-%dT%H-%M-%SZ')>"],
  ["{{clean_resource_name `a:b`}}", "a-b"],
  ["{{user `release` | upper}}", "<vars.release.upperAscii()>"],
  ["{{lower (user `release`)}}", "<vars.release.lowerAscii()>"],
  ['{{replace_all "." "-" (user `release`)}}', "<vars.release.replace('.', '-')>"],
  ["{{env `HOME`}}", "<env.HOME>"],
  ["{{uuid}} {{build_name}} {{build_type}}", "<build.id> web amazon-instance"],
  ["{{.BuildRegion}}", "<region.name>"],
  ["${{ vars.x }} {{uuid}}", "<vars.x> <build.id>"],
  ['{{split "a-b-c" "-" 1}}', "b"],
])("%s is %s", (source, expected) => {
  const result = fromGoTemplate(source, toWorld());
  expect(result).toEqual({ text: expected.replaceAll("<", "${{ ").replaceAll(">", " }}") });
});

test.each([
  ["{{user `other`}}", 'the template declares no variable "other"'],
  ["{{.SourceAMI}}", "{{.SourceAMI}} is known only to Packer"],
  ['{{isotime "Jan 2"}}', "imgspec writes times in numbers only: %Y %m %d %H %M %S"],
  ["{{consul_key `x`}}", "imgspec has nothing like {{consul_key}}"],
  ["{{ }}", "an empty {{ }} says nothing"],
])("%s has no translation, and it is said why", (source, why) => {
  expect(fromGoTemplate(source, toWorld())).toEqual({ why });
});

test.each([
  ["5m", "5m"],
  ["1h30m", "90m"],
  ["3600s", "1h"],
  ["500ms", "1s"],
  ["0s", undefined],
  ["soon", undefined],
])("the duration %s is %s", (source, expected) => {
  expect(toDuration(source)).toBe(expected);
});

test.each([
  ["YYYYMMDDhhmmss", "%Y%m%d%H%M%S"],
  ["YYYY-MM-DD'T'hh:mm", "%Y-%m-%dT%H:%M"],
  ["DD MMM YYYY", undefined],
])("HCL's date %s is %s", (source, expected) => {
  expect(fromHclLayout(source)).toBe(expected);
});

function toWorld(): Parameters<typeof fromGoTemplate>[1] {
  return {
    builder: "web",
    fields: { BuildRegion: { cel: "region.name" } },
    variables: new Set(["release", "build-number"]),
    lists: new Set(),
    plain: new Set(),
    used: { environment: new Set(), variables: new Set() },
  };
}
