import type { Fault, Rule } from "./fault.ts";

/** AWS's codes for "not so fast" (the SDK's own list, and S3's). */
const throttlingCodes: readonly string[] = [
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "RequestThrottled",
  "RequestThrottledException",
  "EC2ThrottledException",
  "BandwidthLimitExceeded",
  "TooManyRequestsException",
  "SlowDown",
];

/** What is not the request's fault, and may pass. */
export const networkRules: readonly Rule[] = [
  {
    codes: throttlingCodes,
    problem: "aws-fault",
    message: ({ service, account, operation, attempts, code }) =>
      `${service} in ${account.region} held back ${operation} ${times(attempts)} (${code})`,
    hint: () => "others use up the account's request rate: wait a little, or build fewer regions at once",
  },
  {
    codes: [
      "InternalError",
      "InternalFailure",
      "InternalServerException",
      "ServiceUnavailable",
      "Unavailable",
      "Http500",
      "Http502",
      "Http503",
      "Http504",
    ],
    problem: "aws-fault",
    message: ({ service, account, operation, attempts, code, message }) =>
      `${service} in ${account.region} broke down over ${operation} ${times(attempts)} (${code}: ${message})`,
    hint: ({ requestId }) =>
      `run again; if it lasts, see health.aws.amazon.com${requestId === undefined ? "" : ` (request id ${requestId})`}`,
  },
  {
    codes: ["TimeoutError", "ETIMEDOUT", "RequestTimeout", "ECONNABORTED"],
    problem: "timeout",
    message: (fault) => `${endpointOf(fault)} did not answer ${fault.operation} in time (${fault.message})`,
    hint: () => "check the network and any proxy, then run again",
  },
  {
    codes: ["ENOTFOUND", "EAI_AGAIN"],
    problem: "network-failed",
    message: (fault) => `the name ${endpointOf(fault)} cannot be resolved`,
    hint: ({ account }) => `check the network, the DNS, and that "${account.region}" is the name of a region`,
  },
  {
    codes: [
      "ECONNREFUSED",
      "ECONNRESET",
      "EPIPE",
      "EHOSTUNREACH",
      "ENETUNREACH",
      "EPROTO",
      "ERR_STREAM_PREMATURE_CLOSE",
    ],
    problem: "network-failed",
    message: (fault) => `${endpointOf(fault)} cannot be reached for ${fault.operation} (${fault.code})`,
    hint: () => "check the network, any firewall or proxy, and the endpoint URL if one is set",
  },
  {
    codes: [
      "CERT_HAS_EXPIRED",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    problem: "network-failed",
    message: (fault) => `the TLS certificate of ${endpointOf(fault)} is not trusted (${fault.code})`,
    hint: () => "if a company proxy stands between, name its certificate in NODE_EXTRA_CA_CERTS",
  },
];

function endpointOf({ host, service, account }: Fault): string {
  return host ?? `${service} in ${account.region}`;
}

function times(attempts: number): string {
  return attempts === 1 ? "once" : `${attempts} times`;
}
