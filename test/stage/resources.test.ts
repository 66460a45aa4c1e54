import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { bundleObjects, bundleParts } from "../../src/stage/resources.ts";
import { newProvider } from "../help/stage-rig.ts";

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

test("before parts are given back goes the instance that may be putting one, by hand too", async () => {
  const calls: string[] = [];
  const provider = newProvider({
    terminateInstance: async (id) => void calls.push(`terminate ${id}`),
    deleteObjects: async (bucket, keys) => void calls.push(`delete ${bucket} ${keys.join(" ")}`),
  });
  const instanceId = "i-0123456789abcdef0";
  const record = { account, bucket: "acme", keys: ["web.part.0000", "web.part.0001"], instanceId };
  const signal = AbortSignal.timeout(1000);
  const cloud = { options: {}, account: () => provider };
  await bundleParts.release(record, { cloud, signal, log: () => undefined });
  expect(calls).toEqual([`terminate ${instanceId}`, "delete acme web.part.0000 web.part.0001"]);
  expect(bundleParts.byHand(record).split(" && ")).toEqual([
    `aws ec2 terminate-instances --instance-ids ${instanceId} --region us-east-1 --profile images`,
    expect.stringContaining('--delete \'{"Objects":[{"Key":"web.part.0000"},{"Key":"web.part.0001"}]'),
  ]);
});
