import { regionOf } from "../util/region.ts";
import type { Fault, Rule } from "./fault.ts";

/** AWS refuses signatures that are more than five minutes old, or early (S3 and EC2 references). */
const allowedSkewMs = 5 * 60_000;

const signatureCodes: readonly string[] = [
  "SignatureDoesNotMatch",
  "InvalidSignatureException",
  "AuthFailure",
];

/** A signature may be refused for no other reason than the clock that dated it. */
export function isSkewed({ code, clockAheadMs }: Fault): boolean {
  return signatureCodes.includes(code) && Math.abs(clockAheadMs ?? 0) > allowedSkewMs;
}

/** A machine that lives in another minute than AWS. */
export const clockSkewed: Rule = {
  codes: ["RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"],
  problem: "clock-skewed",
  message: ({ service, clockAheadMs = 0 }) => {
    const minutes = Math.round(Math.abs(clockAheadMs) / 60_000);
    const side = clockAheadMs < 0 ? "behind" : "ahead of";
    return minutes === 0
      ? `${service} refuses the time that this machine signs with`
      : `the clock of this machine is ${minutes} min ${side} that of ${service}`;
  },
  hint: () => "set the clock (`sudo timedatectl set-ntp true`) and run again",
};

/** Who is calling, and whether they may. */
export const accountRules: readonly Rule[] = [
  {
    codes: [
      "CredentialsProviderError",
      "TokenProviderError",
      "MissingAuthenticationToken",
      "MissingAuthToken",
    ],
    problem: "credentials-missing",
    message: (fault) => `no AWS credentials ${source(fault)} (${fault.message})`,
    hint: ({ account: { region, profile } }) =>
      profile === undefined
        ? `set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or regions.${region}.profile in the spec; with single sign-on, run \`aws sso login\``
        : `check profile "${profile}" with \`aws sts get-caller-identity --profile ${profile}\`; with single sign-on, run \`aws sso login --profile ${profile}\``,
  },
  {
    codes: ["ExpiredToken", "ExpiredTokenException"],
    problem: "credentials-missing",
    message: (fault) => `the AWS credentials ${source(fault)} have expired`,
    hint: ({ account: { profile } }) =>
      `get new ones: \`aws sso login${profile === undefined ? "" : ` --profile ${profile}`}\`, or assume the role again`,
  },
  {
    codes: [
      "InvalidClientTokenId",
      "InvalidAccessKeyId",
      "UnrecognizedClientException",
      "InvalidToken",
      "AuthFailure",
    ],
    problem: "credentials-missing",
    message: (fault) =>
      `${fault.service} in ${fault.account.region} does not know the AWS credentials ${source(fault)}`,
    hint: ({ account: { region } }) =>
      `the key may be deleted, of another partition (${region} is in ${regionOf(region).partition}), or ${region} not enabled for the account; name another in regions.${region}.profile`,
  },
  {
    codes: ["SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature"],
    problem: "credentials-missing",
    message: (fault) =>
      `${fault.service} refuses the signature made with the AWS credentials ${source(fault)}`,
    hint: () => "the secret key does not belong to the access key; set both anew",
  },
  {
    codes: [
      "UnauthorizedOperation",
      "AccessDenied",
      "AccessDeniedException",
      "AllAccessDisabled",
      "Forbidden",
      "Http403",
    ],
    problem: "permission-denied",
    message: (fault) => {
      const { who, action, on } = denialOf(fault);
      return `${who ?? "the caller"} may not ${action}${on === undefined ? "" : ` on ${on}`}`;
    },
    hint: (fault) => {
      const { action, why } = denialOf(fault);
      return `allow ${action} in the IAM policy of the caller${why === undefined ? "" : ` (AWS: ${why})`}`;
    },
  },
  {
    codes: ["OptInRequired", "PendingVerification", "Blocked"],
    problem: "permission-denied",
    message: ({ service, account, message }) =>
      `the account may not use ${service} in ${account.region} yet: ${message}`,
    hint: ({ account: { region } }) => `enable ${region} for the account, or take the region out of the spec`,
  },
  clockSkewed,
];

function source({ account: { profile } }: Fault): string {
  return profile === undefined ? "found" : `of profile "${profile}"`;
}

/**
 * AWS says most denials in one sentence: `User: ARN is not authorized to perform: ACTION on resource: ARN because
 * REASON`, with an encoded message behind it that only the account can decode.
 */
const denial =
  /(arn:\S+) is not authorized to perform: ([\w-]+:\w+)(?: on resource: "?([^\s"]+)"?)?(?: because ([^.]+))?/;

type Denial = Readonly<Record<"who" | "on" | "why", string | undefined>> & { readonly action: string };

function denialOf({ message, caller, actions, resource }: Fault): Denial {
  const [, who, action, on, why] = denial.exec(message) ?? [];
  return { who: who ?? caller, action: action ?? actions.join(" or "), on: resource ?? on, why };
}
