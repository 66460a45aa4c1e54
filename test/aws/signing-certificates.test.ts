import { CreateUserCommand, IAMClient } from "@aws-sdk/client-iam";
import { expect, test } from "vitest";
import { defaultPatience } from "../../src/aws/patience.ts";
import { toCloud } from "../../src/aws/sdk-cloud.ts";
import { userCertificate } from "../bundle/golden.ts";
import { haveMoto, startMoto } from "../help/moto.ts";
import { startScriptedAws } from "../help/scripted-aws.ts";

const signal = new AbortController().signal;
const region = "us-east-1";
const credentials = { accessKeyId: "AKIAEXAMPLE", secretAccessKey: "example" };
const patience = { ...defaultPatience, attempts: 2, firstPauseMs: 5, longestPauseMs: 20 };

test.skipIf(!haveMoto)("a certificate is listed once IAM has it (where python3 has moto)", async () => {
  await using moto = await startMoto();
  const iam = new IAMClient({ endpoint: moto.url, region, credentials });
  await iam.send(new CreateUserCommand({ UserName: "builder" }));
  const provider = toCloud({ endpointUrl: moto.url, credentials }, patience).account({ region });
  expect(await provider.signingCertificates("builder", signal)).toEqual([]);
  const made = await provider.uploadSigningCertificate(
    { user: "builder", certificate: userCertificate },
    signal,
  );
  expect(made).toMatchObject({ user: "builder", isActive: true });
  const [listed] = await provider.signingCertificates("builder", signal);
  expect(listed?.id).toBe(made.id);
  expect(listed?.certificate.trim()).toBe(userCertificate.trim());
  await expect(provider.signingCertificates("nobody", signal)).rejects.toMatchObject({
    code: "source-missing",
    hint: expect.stringContaining("name an IAM user"),
  });
  await expect(
    provider.uploadSigningCertificate({ user: "builder", certificate: "no certificate" }, signal),
  ).rejects.toMatchObject({ code: "certificate-unusable" });
});

test("a user with two certificates is told to delete one", async () => {
  const error =
    "<Error><Type>Sender</Type><Code>LimitExceeded</Code><Message>Cannot exceed quota</Message></Error>";
  await using aws = await startScriptedAws(() => ({
    status: 409,
    body: `<ErrorResponse>${error}<RequestId>req-1</RequestId></ErrorResponse>`,
  }));
  const request = { user: null, certificate: userCertificate };
  await expect(aws.account().uploadSigningCertificate(request, signal)).rejects.toMatchObject({
    code: "certificate-unusable",
    hint: expect.stringContaining("aws iam delete-signing-certificate"),
  });
  expect(aws.asked.map(({ parameters }) => parameters.get("UserName"))).toContain(null);
});
