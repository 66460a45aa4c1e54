import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { startScriptedAws } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "imgspec-aws-"));
  vi.stubEnv("AWS_CONFIG_FILE", join(directory, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(directory, "credentials"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"])
    vi.stubEnv(name, undefined);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

test("the same account has the same provider, another region another", () => {
  const cloud = toCloud({});
  const account = { region: "us-east-1", profile: "ann" };
  expect(cloud.account({ ...account })).toBe(cloud.account(account));
  expect(cloud.account({ region: "us-east-1" })).not.toBe(cloud.account(account));
  expect(cloud.account({ region: "us-east-1" }).region).toBe("us-east-1");
});

test("nothing of the SDK is loaded before something is asked of it", () => {
  const loaded = closureOf(resolve(import.meta.dirname, "../../src/aws/sdk-cloud.ts"));
  const heavy = [...loaded].filter((file) => /from "@aws-sdk/.test(readFileSync(file, "utf8")));
  expect(heavy).toEqual([]);
  expect(loaded.size).toBeGreaterThan(1);
});

test("without credentials, the first question says where they may come from", async () => {
  const provider = toCloud({ endpointUrl: "http://127.0.0.1:9" }).account({ region: "eu-west-1" });
  await expect(provider.caller(signal)).rejects.toMatchObject({
    code: "credentials-missing",
    message: expect.stringContaining("no AWS credentials found"),
    hint: expect.stringContaining("regions.eu-west-1.profile"),
  });
});

test("a profile that is not there is named", async () => {
  const account = { region: "us-gov-west-1", profile: "no-such-profile" };
  const provider = toCloud({ endpointUrl: "http://127.0.0.1:9" }).account(account);
  await expect(provider.caller(signal)).rejects.toMatchObject({
    code: "credentials-missing",
    message: expect.stringContaining('of profile "no-such-profile"'),
    hint: expect.stringContaining("aws sso login --profile no-such-profile"),
  });
});

test("the profile of an account signs its requests", async () => {
  const key = "[gov]\naws_access_key_id = AKIAGOV\naws_secret_access_key = example\n";
  await writeFile(join(directory, "credentials"), key);
  await using aws = await startScriptedAws(() => ({ body: "<GetCallerIdentityResponse/>" }));
  await toCloud({ endpointUrl: aws.url }).account({ region: "us-gov-west-1", profile: "gov" }).caller(signal);
  expect(aws.asked[0]?.headers.authorization).toMatch(/Credential=AKIAGOV\/\d+\/us-gov-west-1\/sts/);
});

/** The files that importing this one loads at once: types and `import()` do not count. */
function closureOf(file: string, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path = ""] of readFileSync(file, "utf8").matchAll(
    /^(?:import|export) (?!type )[^;]*?from "(\.[^"]+)"/gm,
  )) {
    closureOf(resolve(dirname(file), path), seen);
  }
  return seen;
}
