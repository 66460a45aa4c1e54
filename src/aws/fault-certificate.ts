import { byHand } from "./by-hand.ts";
import type { Rule } from "./fault.ts";

/** What IAM says of signing certificates and of the users that have them; the SDK adds a word to its codes. */
export const certificateRules: readonly Rule[] = [
  {
    codes: [
      "MalformedCertificate",
      "MalformedCertificateException",
      "InvalidCertificate",
      "InvalidCertificateException",
    ],
    problem: "certificate-unusable",
    message: ({ message }) => `IAM does not take this certificate: ${message}`,
    hint: () => "make one that it takes with `imgspec cert create`",
  },
  {
    codes: ["DuplicateCertificate", "DuplicateCertificateException"],
    problem: "certificate-unusable",
    message: () => "this certificate belongs to another user, or to another account",
    hint: () => "make one of your own with `imgspec cert create`",
  },
  {
    codes: ["LimitExceeded", "LimitExceededException"],
    problem: "certificate-unusable",
    message: ({ message }) => `IAM takes no more of them: ${message}`,
    hint: ({ account }) =>
      `a user may have two; delete one: \`${byHand("iam delete-signing-certificate --certificate-id ID", account)}\``,
  },
  {
    codes: ["NoSuchEntity", "NoSuchEntityException"],
    problem: "source-missing",
    message: ({ message }) => `IAM does not know this user: ${message}`,
    hint: () => "a role or the root user has no signing certificates: name an IAM user",
  },
];
