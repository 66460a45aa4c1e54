import { AwsFault } from "./fault.ts";
import { isSameSignature, type SignatureScope, toSignature, toSigningKey } from "./signature.ts";

/** A request before anyone looked at who sent it. */
export type RawRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string | undefined>>;
};

/** What a request says of its sender; believed once `checkSignature` has passed. */
export type Authorization = {
  readonly accessKeyId: string;
  readonly scope: SignatureScope;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly amzDate: string;
  /** Null when the headers sign; else how long the URL holds. */
  readonly expiresSeconds: number | null;
};

export type AccessKey = { readonly accessKeyId: string; readonly secretAccessKey: string };

/** AWS refuses a clock that is off by more. */
const maxSkewMs = 15 * 60 * 1000;
const maxPresignedSeconds = 7 * 24 * 60 * 60;

/** Reads the Authorization header or the query of a presigned URL; `undefined` when there is neither. */
export function readAuthorization(request: RawRequest): Authorization | undefined {
  const query = new Map(request.query);
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm")) return readPresigned(query);
  const header = request.headers["authorization"];
  if (header === undefined) return undefined;
  const [algorithm = "", ...rest] = header.split(" ");
  if (algorithm !== "AWS4-HMAC-SHA256") {
    throw new AwsFault(
      "InvalidRequest",
      "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.",
    );
  }
  const fields = new Map(
    rest
      .join("")
      .split(",")
      .map((field) => halves(field)),
  );
  return toAuthorization({
    credential: fields.get("Credential"),
    signedHeaders: fields.get("SignedHeaders"),
    signature: fields.get("Signature"),
    amzDate: request.headers["x-amz-date"],
    expiresSeconds: null,
  });
}

function readPresigned(query: ReadonlyMap<string, string>): Authorization {
  const expiresSeconds = Number(query.get("X-Amz-Expires") ?? Number.NaN);
  if (!(expiresSeconds > 0 && expiresSeconds <= maxPresignedSeconds)) {
    throw new AwsFault(
      "AuthorizationQueryParametersError",
      "X-Amz-Expires must be less than a week (in seconds) and positive",
    );
  }
  return toAuthorization({
    credential: query.get("X-Amz-Credential"),
    signedHeaders: query.get("X-Amz-SignedHeaders"),
    signature: query.get("X-Amz-Signature"),
    amzDate: query.get("X-Amz-Date"),
    expiresSeconds,
  });
}

function toAuthorization(fields: {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  amzDate: string | undefined;
  expiresSeconds: number | null;
}): Authorization {
  const [accessKeyId, date, region, service, terminal] = (fields.credential ?? "").split("/");
  const { signedHeaders, signature, amzDate } = fields;
  if (!accessKeyId || !date || !region || !service || terminal !== "aws4_request") {
    throw new AwsFault(
      "AuthorizationHeaderMalformed",
      "The authorization header is malformed; the Credential is mal-formed.",
    );
  }
  if (!signedHeaders || !signature || !amzDate || toTime(amzDate) === undefined) {
    throw new AwsFault(
      "AuthorizationHeaderMalformed",
      "The authorization header requires SignedHeaders, Signature and a date.",
    );
  }
  return {
    accessKeyId,
    scope: { date, region, service },
    signedHeaders: signedHeaders.split(";"),
    signature,
    amzDate,
    expiresSeconds: fields.expiresSeconds,
  };
}

/** Throws the service's own error unless the key is known, the clock is right and the signature fits. Returns the signing key. */
export function checkSignature(
  authorization: Authorization,
  request: RawRequest,
  payloadHash: string,
  keys: readonly AccessKey[],
): Buffer {
  const { scope, amzDate, signedHeaders } = authorization;
  const known = keys.find(({ accessKeyId }) => accessKeyId === authorization.accessKeyId);
  if (!known) throw unknownKey(scope.service);
  checkTime(authorization);
  const key = toSigningKey(known.secretAccessKey, scope);
  const query = request.query.filter(([name]) => name !== "X-Amz-Signature");
  const expected = toSignature(key, scope, amzDate, { ...request, query, signedHeaders, payloadHash });
  const holds = signedHeaders.includes("host") && amzDate.startsWith(scope.date);
  if (!holds || !isSameSignature(expected, authorization.signature)) throw wrongSignature(scope.service);
  return key;
}

function checkTime({ amzDate, expiresSeconds, scope }: Authorization): void {
  const sentMs = toTime(amzDate) ?? 0;
  const nowMs = Date.now();
  if (expiresSeconds !== null && nowMs > sentMs + expiresSeconds * 1000) {
    throw new AwsFault("AccessDenied", "Request has expired", {
      details: {
        "X-Amz-Expires": String(expiresSeconds),
        Expires: new Date(sentMs + expiresSeconds * 1000).toISOString(),
        ServerTime: new Date(nowMs).toISOString(),
      },
    });
  }
  const isEarly = sentMs - nowMs > maxSkewMs;
  const isLate = expiresSeconds === null && nowMs - sentMs > maxSkewMs;
  if (isEarly || isLate) throw skewed(scope.service, amzDate);
}

function unknownKey(service: string): AwsFault {
  if (service === "s3") {
    return new AwsFault(
      "InvalidAccessKeyId",
      "The AWS Access Key Id you provided does not exist in our records.",
    );
  }
  if (service === "ec2") return authFailure();
  return new AwsFault("InvalidClientTokenId", "The security token included in the request is invalid.");
}

function wrongSignature(service: string): AwsFault {
  if (service === "ec2") return authFailure();
  return new AwsFault(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  );
}

function skewed(service: string, amzDate: string): AwsFault {
  if (service === "s3") {
    return new AwsFault(
      "RequestTimeTooSkewed",
      "The difference between the request time and the current time is too large.",
      {
        details: {
          RequestTime: amzDate,
          ServerTime: new Date().toISOString(),
          MaxAllowedSkewMilliseconds: String(maxSkewMs),
        },
      },
    );
  }
  if (service === "ec2") return authFailure();
  return new AwsFault(
    "SignatureDoesNotMatch",
    `Signature expired: ${amzDate} is not within 15 minutes of the server's time`,
  );
}

function authFailure(): AwsFault {
  return new AwsFault("AuthFailure", "AWS was not able to validate the provided access credentials");
}

/** Milliseconds of a date like 20261122T215026Z. */
function toTime(amzDate: string): number | undefined {
  const iso = amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const time = Date.parse(iso);
  return iso === amzDate || Number.isNaN(time) ? undefined : time;
}

function halves(field: string): readonly [string, string] {
  const at = field.indexOf("=");
  return [field.slice(0, at).trim(), field.slice(at + 1)];
}
