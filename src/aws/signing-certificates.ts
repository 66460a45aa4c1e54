import {
  IAMClient,
  ListSigningCertificatesCommand,
  type SigningCertificate as SdkCertificate,
  UploadSigningCertificateCommand,
} from "@aws-sdk/client-iam";
import { Problem } from "../problem.ts";
import { call, creating } from "./client.ts";
import type { CloudOptions } from "./cloud.ts";
import { type Base, toSettings } from "./connect.ts";
import type { Provider, SigningCertificate } from "./provider.ts";

type Signing = Pick<Provider, "signingCertificates" | "uploadSigningCertificate">;

/** The X.509 signing certificates of IAM users, over IAM's API. */
export function toSigning(base: Base, options: CloudOptions): Signing {
  const link = { ...base, client: new IAMClient(toSettings(base, options)), service: "IAM" } as const;
  return {
    signingCertificates: async (user, signal) => {
      // A user has two at most (IAM quotas), so there is but one page.
      const command = new ListSigningCertificatesCommand(toUser(user));
      const { Certificates = [] } = await call(link, command, { signal, ...toResource(user) });
      return Certificates.map(toCertificate);
    },

    uploadSigningCertificate: async ({ user, certificate }, signal) => {
      const command = new UploadSigningCertificateCommand({
        ...toUser(user),
        CertificateBody: certificate,
      });
      const options = { signal: creating(signal), ...toResource(user) };
      const { Certificate } = await call(link, command, options);
      if (Certificate) return toCertificate(Certificate);
      throw new Problem("aws-fault", "IAM took a certificate and did not say which");
    },
  };
}

function toUser(user: string | null): { UserName?: string } {
  return user === null ? {} : { UserName: user };
}

function toResource(user: string | null): { resource?: string } {
  return user === null ? {} : { resource: `user/${user}` };
}

function toCertificate({
  CertificateId = "",
  UserName = "",
  Status,
  CertificateBody = "",
}: SdkCertificate): SigningCertificate {
  return { id: CertificateId, user: UserName, isActive: Status === "Active", certificate: CertificateBody };
}
