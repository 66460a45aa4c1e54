import type { CertificateVariant } from "../util/region.ts";
import type { Provider } from "./provider.ts";

/** Whose resources, and where: enough for another process to find them again. */
export type Account = { readonly region: string; readonly profile?: string };

/**
 * Where the cloud is. Empty for AWS itself; the emulator fills in its own addresses. Nothing else tells them apart.
 */
export type CloudOptions = {
  /** Base URL for all services, such as http://127.0.0.1:4000; AWS's own endpoints when absent. */
  readonly endpointUrl?: string;
  /** The same as instances reach it; as above when absent. */
  readonly instanceEndpointUrl?: string;
  /** Fixed credentials; the SDK's default chain when absent. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Answers a GET with the caller's public IPv4 address as text. */
  readonly checkIpUrl?: string;
  /** HTTP proxy (CONNECT) through which the addresses of instances are reached. */
  readonly networkProxy?: string;
  /** PEM certificates that stand in for EC2's built-in public keys. */
  readonly ec2Certificates?: Readonly<Record<CertificateVariant, string>>;
};

/** A cloud with accounts in it. */
export type Cloud = {
  readonly options: CloudOptions;
  /** The same account gives the same provider, so connections are shared. */
  account(account: Account): Provider;
};
