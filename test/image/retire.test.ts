import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Cloud } from "../../src/aws/cloud.ts";
import { toLocation } from "../../src/image/leftover.ts";
import { resolve } from "../../src/image/resolve.ts";
import { type Retired, retire } from "../../src/image/retire.ts";
import { type Retiree, toRetirements } from "../../src/image/retirement.ts";
import { createBucket, startEmulatedCloud } from "../help/clouds.ts";
import { registerTiny, storeTiny, type TinyImage } from "../help/tiny-image.ts";
import { hasty, newBucketName, signal } from "../store/rig.ts";

const account = { region: "us-east-1" };
const never: AbortSignal = new AbortController().signal;
let emulated: Awaited<ReturnType<typeof startEmulatedCloud>>;
let cloud: Cloud;
let bucket: string;

beforeAll(async () => {
  emulated = await startEmulatedCloud();
});
afterAll(() => emulated[Symbol.asyncDispose]());
beforeEach(async () => {
  cloud = hasty(emulated);
  bucket = newBucketName();
  await createBucket(emulated, bucket, account.region);
});

test("an image goes with its bundle, and nothing else that lies beside it", async () => {
  const image = await register("x/web");
  await storeTiny(emulated.emulator, cloud, { bucket, key: "x/web2" });
  expect(words(await retireAll([image]))).toEqual(["deregistered deleted"]);
  expect(left()).toEqual(["x/web2.manifest.xml", "x/web2.part.0"]);
  expect(emulated.emulator.left().images).not.toContain(image.id);
});

test("a bundle from which another image is registered stays until that one goes too", async () => {
  const first = await register("x/web");
  const twin = await registerAgain(first);
  const [retired] = await retireAll([first]);
  expect([retired?.bundle, retired?.retirement.kept]).toEqual([
    "kept",
    `image ${twin.id} is registered from it too`,
  ]);
  expect(left()).toHaveLength(2);
  expect(words(await retireAll([twin]))).toEqual(["deregistered deleted"]);
  expect(left()).toEqual([]);
});

test("two images of one bundle go together, the bundle with the second", async () => {
  const first = await register("x/web");
  const twin = await registerAgain(first);
  expect(words(await retireAll([first, twin]))).toEqual(["deregistered kept", "deregistered deleted"]);
  expect(left()).toEqual([]);
});

test("when the first of two that share a bundle cannot go, the second is not touched", async () => {
  const first = await register("x/web");
  const twin = await registerAgain(first);
  emulated.emulator.fail("DeregisterImage", "UnauthorizedOperation");
  expect(words(await retireAll([first, twin]))).toEqual(["failed untouched", "untouched untouched"]);
  expect(left()).toHaveLength(2);
  expect(words(await retireAll([first, twin]))).toEqual(["deregistered kept", "deregistered deleted"]);
});

test("parts that another image's manifest lists stay with it", async () => {
  const image = await register("x/web");
  const provider = cloud.account(account);
  const manifest = { bucket, key: "x/other.manifest.xml" };
  await provider.copyObject(
    { from: { bucket, key: "x/web.manifest.xml" }, to: manifest, acl: "aws-exec-read" },
    signal,
  );
  const other = await registerAgain({ ...image, location: `${bucket}/${manifest.key}` });
  const [retired] = await retireAll([image]);
  expect(retired?.retirement.kept).toBe(`1 of its objects are of image ${other.id} too`);
  expect(left()).toEqual(["x/other.manifest.xml", "x/web.part.0"]);
});

test("an image that cannot be deregistered keeps its bundle, and what to do is told", async () => {
  const [image, next] = [await register("x/web"), await register("y/web")];
  emulated.emulator.fail("DeregisterImage", "UnauthorizedOperation");
  const [failed, retired] = await retireAll([image, next]);
  expect(failed).toMatchObject({
    image: "failed",
    bundle: "untouched",
    failure: {
      kind: "image",
      id: image.id,
      region: "us-east-1",
      problem: { code: "permission-denied" },
      byHand: `aws ec2 deregister-image --image-id ${image.id} --region us-east-1`,
    },
  });
  expect(retired?.bundle).toBe("deleted");
  expect(left()).toEqual(["x/web.manifest.xml", "x/web.part.0"]);
});

test("a bundle whose deleting ends halfway still has its manifest, and goes when it is asked for again", async () => {
  const image = await register("x/web");
  emulated.emulator.fail("DeleteObjects", "slow:0");
  emulated.emulator.fail("DeleteObjects", "AccessDenied");
  const [failed] = await retireAll([image]);
  expect(failed).toMatchObject({
    image: "deregistered",
    bundle: "failed",
    failure: { kind: "bundle", id: `s3://${image.location}`, problem: { code: "permission-denied" } },
  });
  expect(failed?.failure?.byHand).toContain(`aws s3api delete-objects --bucket ${bucket} --delete`);
  expect(left()).toEqual(["x/web.manifest.xml"]);
  const gone = { account, id: image.id, name: null, location: image.location, isRegistered: false };
  expect(words(await carryOut([gone]))).toEqual(["gone deleted"]);
  expect(words(await carryOut([gone]))).toEqual(["gone missing"]);
  expect(left()).toEqual([]);
});

test("what is said to be gone and is registered all the same keeps its bundle, however it is written", async () => {
  const image = await register("x/web");
  const gone = { account, id: image.id, name: null, location: image.location, isRegistered: false };
  const [kept] = await carryOut([gone]);
  expect([kept?.bundle, kept?.retirement.kept]).toEqual([
    "kept",
    `image ${image.id} is registered from it too`,
  ]);
  const url = `s3://${image.location.replace("/", "//")}`;
  expect(toLocation(url)).toBe(image.location);
  expect(left()).toHaveLength(2);
});

test("the manifest of another image is never among what goes, and a broken one spares all beside it", async () => {
  const image = await register("x/web");
  const other = await register("x/other");
  const listed = {
    account,
    id: null,
    name: null,
    location: `${bucket}//x/web.manifest.xml`,
    isRegistered: false,
  };
  const [spared] = await toRetirements(cloud, [listed], { keepBundle: false }, signal);
  expect(spared?.bundle).toMatchObject({ parts: [], manifests: [] });
  await put("x/other.manifest.xml", "broken");
  expect(words(await retireAll([image]))).toEqual(["deregistered kept"]);
  expect(left()).toHaveLength(4);
  expect(other.location).toBe(`${bucket}/x/other.manifest.xml`);
});

test("an image whose bucket is gone goes alone", async () => {
  const image = await register("x/web");
  const provider = cloud.account(account);
  await provider.deleteObjects(bucket, ["x/web.manifest.xml", "x/web.part.0"], signal);
  await provider.deleteBucket(bucket, signal);
  expect(words(await retireAll([image]))).toEqual(["deregistered missing"]);
});

test("an interrupt lets the image that is begun be finished, and touches no other", async () => {
  const images = [await register("x/web"), await register("y/web")];
  const interrupt = new AbortController();
  const retirements = await toRetirements(cloud, await retireesOf(images), { keepBundle: false }, signal);
  emulated.emulator.fail("DeregisterImage", "slow:300");
  setTimeout(() => interrupt.abort(new Error("Ctrl-C")), 100);
  const options = { signal: interrupt.signal, abandon: never, onRetired: () => undefined };
  expect(words(await retire(cloud, retirements, options))).toEqual([
    "deregistered deleted",
    "untouched untouched",
  ]);
  expect(left()).toEqual(["y/web.manifest.xml", "y/web.part.0"]);
});

function register(key: string): Promise<TinyImage> {
  return registerTiny(emulated.emulator, cloud, { bucket, key, name: `${bucket} ${key}` });
}

async function registerAgain(image: TinyImage): Promise<TinyImage> {
  const { id } = await cloud.account(account).registerImage(
    {
      name: `${image.name} again`,
      description: null,
      location: image.location,
      architecture: "x86_64",
      virtualization: "hvm",
      kernel: null,
      ramdisk: null,
      blockDeviceMappings: [],
      tags: {},
    },
    signal,
  );
  return { ...image, id };
}

async function retireesOf(images: readonly TinyImage[]): Promise<readonly Retiree[]> {
  const ids = images.map(({ id }) => id);
  const found = await resolve(cloud, [account], ids, signal);
  return found.images.map((image) => ({ ...image, isRegistered: true }));
}

async function retireAll(images: readonly TinyImage[]): Promise<readonly Retired[]> {
  return carryOut(await retireesOf(images));
}

async function carryOut(retirees: readonly Retiree[]): Promise<readonly Retired[]> {
  const retirements = await toRetirements(cloud, retirees, { keepBundle: false }, signal);
  return retire(cloud, retirements, { signal, abandon: never, onRetired: () => undefined });
}

function words(retired: readonly Retired[]): readonly string[] {
  return retired.map(({ image, bundle }) => `${image} ${bundle}`);
}

/** The keys that are left in the test's bucket. */
async function put(key: string, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  const sha1 = createHash("sha1").update(bytes).digest("hex");
  const body = { bytes, sha1, contentType: "text/xml", acl: "aws-exec-read" };
  await cloud.account(account).putObject({ bucket, key }, body, signal);
}

function left(): readonly string[] {
  const own = emulated.emulator.left().objects.filter((name) => name.startsWith(`${bucket}/`));
  return own.map((name) => name.slice(bucket.length + 1)).sort();
}
