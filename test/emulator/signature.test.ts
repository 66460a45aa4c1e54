import { request } from "node:http";
import { DescribeRegionsCommand } from "@aws-sdk/client-ec2";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { sha256, toChunkSignature, toSignature, toSigningKey } from "../../src/emulator/signature.ts";
import { codeOf, newRig, toClientOptions } from "./rig.ts";
import { send, toSigned } from "./sign.ts";

const form = { "content-type": "application/x-www-form-urlencoded" };
const describeRegions = { service: "ec2", body: "Action=DescribeRegions", headers: form } as const;
const getIdentity = { service: "sts", body: "Action=GetCallerIdentity", headers: form } as const;
const listBuckets = { service: "s3", method: "GET" } as const;

test("SIG-1 the SDK's signatures are taken by all services, in all three partitions", async () => {
  await using rig = await newRig();
  for (const [region, partition] of [
    ["us-east-1", "aws"],
    ["cn-north-1", "aws-cn"],
    ["us-gov-west-1", "aws-us-gov"],
  ] as const) {
    const caller = await rig.sts(region).send(new GetCallerIdentityCommand({}));
    expect(caller.Account).toMatch(/^\d{12}$/);
    expect(caller.Account).toBe(rig.emulator.accountId);
    expect(caller.Arn).toBe(`arn:${partition}:iam::${caller.Account}:user/imgspec`);
    const { Regions } = await rig.ec2(region).send(new DescribeRegionsCommand({}));
    expect(Regions?.map(({ RegionName }) => RegionName)).toContain(region);
    expect((await rig.s3(region).send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
  }
});

// Amazon S3 API reference, "Signature calculations for the Authorization header", examples of 2013-05-24.
const exampleScope = { date: "20130524", region: "us-east-1", service: "s3" };
const exampleKey = toSigningKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", exampleScope);

test("SIG-2 AWS's published examples have these signatures", () => {
  const headers = {
    host: "examplebucket.s3.amazonaws.com",
    range: "bytes=0-9",
    "x-amz-content-sha256": sha256(""),
    "x-amz-date": "20130524T000000Z",
  };
  const get = {
    method: "GET",
    path: "/test.txt",
    query: [],
    headers,
    signedHeaders: Object.keys(headers),
    payloadHash: sha256(""),
  };
  expect(toSignature(exampleKey, exampleScope, "20130524T000000Z", get)).toBe(
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
  );
  const chunk = (previous: string, data: string): string =>
    toChunkSignature(exampleKey, {
      scope: exampleScope,
      amzDate: "20130524T000000Z",
      previous,
      hash: sha256(data),
      trailer: false,
    });
  const first = chunk("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9", "a".repeat(65_536));
  expect(first).toBe("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
  expect(chunk(first, "a".repeat(1024))).toBe(
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
  );
});

test("SIG-3 a wrong secret is refused with each service's own code", async () => {
  await using rig = await newRig();
  const wrong = { secretAccessKey: "wrong" };
  expect(await send(toSigned(rig.emulator, { ...describeRegions, ...wrong }))).toMatchObject({
    status: 401,
    code: "AuthFailure",
  });
  expect(await send(toSigned(rig.emulator, { ...listBuckets, ...wrong }))).toMatchObject({
    status: 403,
    code: "SignatureDoesNotMatch",
  });
  expect(await send(toSigned(rig.emulator, { ...getIdentity, ...wrong }))).toMatchObject({
    status: 403,
    code: "SignatureDoesNotMatch",
  });
});

test("SIG-4 a key that nobody has is refused with each service's own code", async () => {
  await using rig = await newRig();
  const stranger = { accessKeyId: "AKIASTRANGER" };
  expect(await send(toSigned(rig.emulator, { ...describeRegions, ...stranger }))).toMatchObject({
    status: 401,
    code: "AuthFailure",
  });
  expect(await send(toSigned(rig.emulator, { ...listBuckets, ...stranger }))).toMatchObject({
    status: 403,
    code: "InvalidAccessKeyId",
  });
  expect(await send(toSigned(rig.emulator, { ...getIdentity, ...stranger }))).toMatchObject({
    status: 403,
    code: "InvalidClientTokenId",
  });
});

test("SIG-5 a clock that is off by sixteen minutes is refused, by fourteen it is not", async () => {
  await using rig = await newRig();
  for (const minutes of [-16, 16]) {
    const skewMs = minutes * 60_000;
    expect((await send(toSigned(rig.emulator, { ...listBuckets, skewMs }))).code).toBe(
      "RequestTimeTooSkewed",
    );
    expect((await send(toSigned(rig.emulator, { ...describeRegions, skewMs }))).code).toBe("AuthFailure");
    const sts = await send(toSigned(rig.emulator, { ...getIdentity, skewMs }));
    expect([sts.code, sts.text]).toEqual([
      "SignatureDoesNotMatch",
      expect.stringContaining("Signature expired"),
    ]);
  }
  expect((await send(toSigned(rig.emulator, { ...listBuckets, skewMs: -14 * 60_000 }))).status).toBe(200);
});

test("SIG-6 a region that AWS has not is refused", async () => {
  await using rig = await newRig();
  const region = "mars-north-1";
  expect((await send(toSigned(rig.emulator, { ...describeRegions, region }))).code).toBe("AuthFailure");
  expect(await send(toSigned(rig.emulator, { ...listBuckets, region }))).toMatchObject({
    status: 400,
    code: "AuthorizationHeaderMalformed",
  });
});

test("SIG-10 an unsigned request is refused", async () => {
  await using rig = await newRig();
  const response = await fetch(`${rig.emulator.url}/bucket/key`);
  expect([response.status, await response.text()]).toEqual([403, expect.stringContaining("AccessDenied")]);
  const empty = new STSClient({
    ...toClientOptions(rig.emulator),
    credentials: { accessKeyId: "x", secretAccessKey: "y" },
  });
  expect(await codeOf(empty.send(new GetCallerIdentityCommand({})))).toBe("InvalidClientTokenId");
});

test("SIG-11 a foreign host name is refused, whatever is asked; names of loopback are not", async () => {
  await using rig = await newRig();
  const statusFor = (host: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      request(`${rig.emulator.url}/checkip`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });
  expect(await statusFor("evil.example:80")).toBe(403);
  expect(await statusFor("localhost.evil.example")).toBe(403);
  expect(await statusFor("127.0.0.1.nip.io")).toBe(403);
  for (const host of ["localhost:4000", "[::1]:4000", "bucket.localhost", "127.0.0.1"])
    expect(await statusFor(host)).toBe(200);
});
