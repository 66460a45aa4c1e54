import { afterAll, beforeAll, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import { resolve, toMissing } from "../../src/image/resolve.ts";
import { review } from "../../src/image/review.ts";
import { findImages, toAccounts } from "../../src/image/survey.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { registerTiny, type TinyImage } from "../help/tiny-image.ts";
import { hasty, signal } from "../store/rig.ts";

let emulated: Awaited<ReturnType<typeof startEmulatedCloud>>;
let cloud: Cloud;
let here: TinyImage;
let there: TinyImage;
let foreign: TinyImage;

beforeAll(async () => {
  emulated = await startEmulatedCloud();
  cloud = hasty(emulated);
  const { emulator } = emulated;
  const add = async (region: string, bucket: string, key: string, spec: string): Promise<TinyImage> => {
    await createBucket(emulated, bucket, region);
    return registerTiny(emulator, cloud, { bucket, region, key, spec });
  };
  here = await add("us-east-1", "acme-us", "a/web", "web");
  there = await add("eu-west-1", "acme-eu", "a/web", "web");
  foreign = await add("us-gov-west-1", "acme-gov", "a/db", "db");
});
afterAll(() => emulated[Symbol.asyncDispose]());

test("without regions all are asked that the account has in its partition, and what others own is not told", async () => {
  const accounts = await toAccounts(cloud, { regions: [] }, signal);
  expect(accounts.map(({ region }) => region)).toEqual(expect.arrayContaining(["us-east-1", "eu-west-1"]));
  expect(accounts.length).toBeGreaterThan(20);
  expect(accounts.filter(({ region }) => /^(cn|us-gov)-/.test(region))).toEqual([]);
  const { found, failures } = await findImages(cloud, accounts, "built", signal);
  expect([found.map(({ id, spec }) => [id, spec]), failures]).toEqual([
    [
      [there.id, "web"],
      [here.id, "web"],
    ],
    [],
  ]);
  const gov = await findImages(cloud, [{ region: "us-gov-west-1" }], "any", signal);
  expect(gov.found.map(({ id, run }) => [id, run])).toEqual([[foreign.id, "run-of-a/db"]]);
});

test("a region that does not answer hides none of the others, and is told with its reason", async () => {
  const accounts = [{ region: "us-east-1" }, { region: "eu-west-1" }];
  emulated.emulator.fail("DescribeImages", "UnauthorizedOperation", { region: "us-east-1" });
  const { found, failures } = await findImages(cloud, accounts, "built", signal);
  expect(found.map(({ id }) => id)).toEqual([there.id]);
  expect(failures.map(({ account, problem }) => [account.region, problem.code])).toEqual([
    ["us-east-1", "permission-denied"],
  ]);
});

test("regions are asked side by side", async () => {
  const regions = (await toAccounts(cloud, { regions: [] }, signal)).slice(0, 10);
  for (const { region } of regions) emulated.emulator.fail("DescribeImages", "slow:300", { region });
  const before = performance.now();
  await findImages(cloud, regions, "built", signal);
  expect(performance.now() - before).toBeLessThan(10 * 300);
});

test("an image is found by its id alone, wherever it is", async () => {
  const accounts = await toAccounts(cloud, { regions: [] }, signal);
  const gone = "ami-0123456789abcdef0";
  const { images, missing, failures } = await resolve(cloud, accounts, [gone, there.id, here.id], signal);
  expect(images.map(({ id, account }) => [id, account.region])).toEqual([
    [there.id, "eu-west-1"],
    [here.id, "us-east-1"],
  ]);
  expect(missing).toEqual([gone]);
  expect(toMissing(gone, accounts, failures)).toMatchObject({
    code: "image-missing",
    message: `the account has no image ${gone} in any of ${accounts.length} regions`,
  });
  await expect(resolve(cloud, accounts, ["web"], signal)).rejects.toMatchObject({ code: "usage-wrong" });
});

test("an image that is protected from deregistration is known as such", async () => {
  const gov = { region: "us-gov-west-1" };
  const isProtected = async (): Promise<readonly boolean[]> =>
    (await findImages(cloud, [gov], "built", signal)).found.map((image) => image.isProtected);
  expect(await isProtected()).toEqual([false]);
  await cloud.account(gov).protectImage(foreign.id, true, signal);
  expect(await isProtected()).toEqual([true]);
});

test("in a region where nobody can say who uses an image there is no verdict", async () => {
  const accounts = [{ region: "us-east-1" }, { region: "eu-west-1" }];
  emulated.emulator.fail("DescribeLaunchTemplateVersions", "UnauthorizedOperation", { region: "eu-west-1" });
  const retention = { keep: 1, keepDays: null, now: new Date(), keepBundle: false };
  const { found, failures } = await review(
    cloud,
    accounts,
    { spec: "web", namePrefix: null },
    retention,
    signal,
  );
  expect(found.map(({ verdict }) => verdict.image.id)).toEqual([here.id]);
  expect(failures.map(({ problem }) => problem.message)).toEqual([
    expect.stringContaining("ec2:DescribeLaunchTemplateVersions"),
  ]);
});
