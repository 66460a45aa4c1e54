import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Provider } from "../../src/aws/provider.ts";
import { Problem } from "../../src/problem.ts";
import { type Answer, ec2Fault, s3Fault, startScriptedAws, stsFault } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const where = { bucket: "acme-images", key: "web/image.part.00" };
const body = { bytes: new Uint8Array(0), sha1: "", contentType: "text/plain", acl: "aws-exec-read" };
const put = (s3: Provider) => s3.putObject(where, body, signal);
const images = (ec2: Provider) => ec2.findImages({ owners: ["self"] }, signal);
const register = (ec2: Provider) => ec2.registerImage(registration, signal);
const arn = "arn:aws:iam::123456789012:user/ann";

type Case = { title: string; answer: Answer; act: (provider: Provider) => Promise<unknown>; told: unknown };

const cases: readonly Case[] = [
  {
    title: "a key that AWS does not know is a matter of credentials",
    answer: stsFault("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
    act: (provider) => provider.caller(signal),
    told: ["credentials-missing", "STS in us-east-1 does not know the AWS credentials found"],
  },
  {
    title: "credentials that have expired are said to have",
    answer: stsFault("ExpiredToken", "The security token included in the request is expired", 403),
    act: (provider) => provider.caller(signal),
    told: ["credentials-missing", "the AWS credentials found have expired"],
  },
  {
    title: "a wrong secret is told from an unknown key",
    answer: s3Fault("SignatureDoesNotMatch", "The request signature we calculated does not match", 403),
    act: put,
    told: ["credentials-missing", "S3 refuses the signature made with the AWS credentials found"],
  },
  {
    title: "a denial by EC2 names caller, action and resource, and leaves the encoded message out",
    answer: ec2Fault(
      "UnauthorizedOperation",
      `You are not authorized to perform this operation. User: ${arn} is not authorized to perform: ec2:RegisterImage on resource: arn:aws:ec2:us-east-1::image/* because no identity-based policy allows the ec2:RegisterImage action. Encoded authorization failure message: bG9uZw`,
      403,
    ),
    act: register,
    told: ["permission-denied", `${arn} may not ec2:RegisterImage on web-base`],
  },
  {
    title: "a bare denial by S3 names the actions that the request needed",
    answer: s3Fault("AccessDenied", "Access Denied", 403),
    act: put,
    told: [
      "permission-denied",
      "the caller may not s3:PutObject or s3:PutObjectAcl on s3://acme-images/web/image.part.00",
    ],
  },
  {
    title: "a bucket without ACLs is named with the command that lets them in",
    answer: s3Fault("AccessControlListNotSupported", "The bucket does not allow ACLs", 400),
    act: put,
    told: [
      "bucket-unusable",
      "bucket acme-images refuses access control lists, and EC2 reads a bundle by one",
    ],
  },
  {
    title: "a bucket elsewhere is named with its region",
    answer: s3Fault(
      "PermanentRedirect",
      "The bucket must be addressed using the endpoint.",
      301,
      "<Region>eu-west-1</Region>",
    ),
    act: put,
    told: ["bucket-unusable", "bucket acme-images is in eu-west-1, not in us-east-1"],
  },
  {
    title: "a bucket that is not there is named",
    answer: s3Fault("NoSuchBucket", "The specified bucket does not exist", 404),
    act: put,
    told: ["bucket-unusable", "bucket acme-images does not exist"],
  },
  {
    title: "a bundle that EC2 cannot open is refused in EC2's own words",
    answer: ec2Fault("InvalidManifest", "HTTP 403 (Forbidden) response for URL"),
    act: register,
    told: ["manifest-refused", "EC2 in us-east-1 refuses the bundle: HTTP 403 (Forbidden) response for URL"],
  },
  {
    title: "a broken server is told of with how often it was asked",
    answer: ec2Fault("InternalError", "An internal error has occurred", 500),
    act: images,
    told: [
      "aws-fault",
      "EC2 in us-east-1 broke down over DescribeImages 2 times (InternalError: An internal error has occurred)",
    ],
  },
  {
    title: "an answer that is not of AWS is a broken server too",
    answer: { status: 502, body: "<html>Bad Gateway</html>" },
    act: images,
    told: ["aws-fault", expect.stringContaining("EC2 in us-east-1 broke down over DescribeImages 2 times")],
  },
  {
    title: "what nobody foresaw is told as AWS told it",
    answer: ec2Fault("InvalidParameterValue", "Value (x) for parameter name is invalid."),
    act: images,
    told: [
      "aws-fault",
      "EC2 DescribeImages failed in us-east-1: InvalidParameterValue: Value (x) for parameter name is invalid.",
    ],
  },
  {
    title: "a cut line is a matter of the network",
    answer: "cut",
    act: images,
    told: ["network-failed", "EC2 in us-east-1 cannot be reached for DescribeImages (ECONNRESET)"],
  },
];

test.each(cases)("$title", async ({ answer, act, told }) => {
  await using aws = await startScriptedAws(() => answer);
  const problem = await problemOf(act(aws.account()));
  expect([problem.code, problem.message]).toEqual(told);
  expect(problem.cause).toBeInstanceOf(Error);
});

describe("a clock that is an hour off", () => {
  test.each([
    { where: "ahead of", minutes: -60 },
    { where: "behind", minutes: 60 },
  ])("$where AWS's is corrected once, and told of when that does not help", async ({ where, minutes }) => {
    const date = new Date(Date.now() + minutes * 60_000).toUTCString();
    const fault = ec2Fault(
      "AuthFailure",
      "AWS was not able to validate the provided access credentials",
      401,
    );
    await using aws = await startScriptedAws(() =>
      typeof fault === "object" ? { ...fault, headers: { date } } : fault,
    );
    const problem = await problemOf(images(aws.account()));
    expect([problem.code, problem.message]).toEqual([
      "clock-skewed",
      `the clock of this machine is 60 min ${where} that of EC2`,
    ]);
    expect(aws.asked).toHaveLength(2);
  });
});

test("throttling passes unseen as long as it passes", async () => {
  await using aws = await startScriptedAws((_asked, index) =>
    index === 0
      ? ec2Fault("RequestLimitExceeded", "Request limit exceeded.", 503)
      : { body: "<DescribeImagesResponse><imagesSet/></DescribeImagesResponse>" },
  );
  expect(await images(aws.account())).toEqual([]);
  expect(aws.asked).toHaveLength(2);
});

test("an EC2 that does not listen is named with its address", async () => {
  const aws = await startScriptedAws(() => "silence");
  await aws[Symbol.asyncDispose]();
  const problem = await problemOf(images(aws.account()));
  const address = aws.url.replace("http://", "");
  expect([problem.code, problem.message]).toEqual([
    "network-failed",
    `${address} cannot be reached for DescribeImages (ECONNREFUSED)`,
  ]);
});

test("a denial names the caller that STS named before", async () => {
  await using aws = await startScriptedAws(({ action }) =>
    action === "GetCallerIdentity"
      ? identity
      : ec2Fault("UnauthorizedOperation", "You are not authorized.", 403),
  );
  const provider = aws.account();
  await provider.caller(signal);
  expect((await problemOf(images(provider))).message).toBe(`${arn} may not ec2:DescribeImages`);
});

test("a profile is named in what it leads to", async () => {
  await using aws = await startScriptedAws(() => ec2Fault("AuthFailure", "not able to validate", 401));
  const problem = await problemOf(images(aws.account({ region: "us-gov-west-1", profile: "gov" })));
  expect([problem.message, problem.hint]).toEqual([
    'EC2 in us-gov-west-1 does not know the AWS credentials of profile "gov"',
    expect.stringContaining("us-gov-west-1 is in aws-us-gov"),
  ]);
});

test("what is printed of a problem has nothing of the request behind it", async () => {
  await using aws = await startScriptedAws(() =>
    ec2Fault("UnauthorizedOperation", "You are not authorized.", 403),
  );
  const problem = await problemOf(images(aws.account()));
  expect(inspect(problem, { depth: null, showHidden: true })).not.toMatch(/authorization: |AKIA|x-amz/i);
});

async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(Problem);
  // Checked in the line above.
  return outcome as Problem;
}

const identity: Answer = {
  body: `<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>${arn}</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`,
};

const registration = {
  name: "web-base",
  description: null,
  location: "acme-images/web/image.manifest.xml",
  architecture: "x86_64",
  virtualization: "hvm",
  kernel: null,
  ramdisk: null,
  blockDeviceMappings: [],
  tags: {},
};
