import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { bundleObjects } from "../../src/stage/resources.ts";

const account = { region: "us-east-1", profile: "images" };

test("the command that removes a bundle by hand names each object, a thousand a call, and nothing else", () => {
  const keys = [
    ...Array.from({ length: 1024 }, (_, index) => `team's, images/web.part.${index}`),
    "team's, images/web.manifest.xml",
  ];
  const command = bundleObjects.byHand({ account, bucket: "acme", keys });
  // What a shell would hand to `aws`, one argument a line, each call ended by an empty one.
  const shell = `aws() { printf '%s\\n' "$@" ''; }; ${command}`;
  const calls = execFileSync("/bin/sh", ["-c", shell], { encoding: "utf8" }).trimEnd().split("\n\n");
  const parsed = calls.map((call) => call.split("\n"));
  expect(parsed.map(([service, action, , bucket]) => [service, action, bucket])).toEqual([
    ["s3api", "delete-objects", "acme"],
    ["s3api", "delete-objects", "acme"],
  ]);
  const named = parsed.map((call) => {
    const { Objects } = JSON.parse(call[call.indexOf("--delete") + 1] ?? "") as {
      Objects: { Key: string }[];
    };
    return Objects.map(({ Key }) => Key);
  });
  expect(named.map(({ length }) => length)).toEqual([1000, 25]);
  expect(named.flat()).toEqual(keys);
});
