import type { CloudOptions } from "../aws/cloud.ts";
import type { CertificateVariant } from "../util/region.ts";
import type { Identity } from "./identity.ts";

/** All that a client needs to take the emulator at this URL for its cloud. */
export function toCloudOptions(
  url: string,
  { accessKey, ec2Keys }: Identity,
  gateway: string | undefined,
): CloudOptions {
  const certificates: Record<CertificateVariant, string> = {
    commercial: ec2Keys.commercial.certificate,
    "cn-north-1": ec2Keys["cn-north-1"].certificate,
    gov: ec2Keys.gov.certificate,
  };
  return {
    endpointUrl: url,
    ...(gateway === undefined ? {} : { instanceEndpointUrl: `http://${gateway}:${new URL(url).port}` }),
    credentials: accessKey,
    checkIpUrl: `${url}/checkip`,
    networkProxy: url,
    ec2Certificates: certificates,
  };
}
