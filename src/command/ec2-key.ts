import { ec2PublicKey, variantOfKey } from "../bundle/ec2-keys.ts";
import { Problem } from "../problem.ts";
import { type CertificateVariant, regionOf } from "../util/region.ts";
import { readPem } from "./keys.ts";

/** How a command names the EC2 that shall open a bundle. */
export type Ec2KeyOptions = {
  /** A variant, or the path of a certificate. */
  readonly ec2cert?: string;
  readonly region?: string;
  readonly allowMismatch?: boolean;
};

/** EC2's key as PEM; whose it is, null when it is none that EC2 is known to have; and how to call it. */
export type Ec2Key = {
  readonly pem: string;
  readonly variant: CertificateVariant | null;
  readonly name: string;
};

/**
 * The key that a region's EC2 opens bundles with, or the one that is named. A key that is not the region's is
 * `certificate-unusable` unless that is allowed; so is a region without a known key when no certificate is named.
 */
export async function chooseEc2Key(
  options: Ec2KeyOptions,
  standIns?: Readonly<Record<CertificateVariant, string>>,
): Promise<Ec2Key> {
  const { ec2cert, region, allowMismatch = false } = options;
  const regional = region === undefined ? undefined : certificateOf(region);
  if (ec2cert === undefined)
    return own(regional === undefined ? "commercial" : known(regional, region), standIns);
  const chosen = isVariant(ec2cert) ? own(ec2cert, standIns) : await ofFile(ec2cert, standIns);
  if (regional && chosen.variant !== regional && !allowMismatch) {
    const holds = chosen.variant === null ? `${ec2cert} is a key that EC2 does not have` : `${chosen.name}`;
    throw new Problem(
      "certificate-unusable",
      `${holds}, but ${region} opens bundles with EC2's ${regional} key`,
      {
        hint: "leave out --ec2cert to use the right key, or add --allow-mismatch",
      },
    );
  }
  return chosen;
}

function own(
  variant: CertificateVariant,
  standIns: Readonly<Record<CertificateVariant, string>> | undefined,
): Ec2Key {
  return { pem: standIns?.[variant] ?? ec2PublicKey(variant), variant, name: `EC2's ${variant} key` };
}

async function ofFile(
  path: string,
  standIns: Readonly<Record<CertificateVariant, string>> | undefined,
): Promise<Ec2Key> {
  const pem = await readPem(path, "EC2 certificate");
  const variant = variantOfKey(pem, standIns);
  return { pem, variant, name: variant === null ? `the key in ${path}` : `EC2's ${variant} key` };
}

function certificateOf(region: string): CertificateVariant | null {
  if (/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) return regionOf(region).certificate;
  throw new Problem("usage-wrong", `"${region}" is no region`, { hint: "regions look like us-east-1" });
}

function known(regional: CertificateVariant | null, region: string | undefined): CertificateVariant {
  if (regional !== null) return regional;
  throw new Problem("certificate-unusable", `EC2 has published no certificate for ${region}`, {
    hint: "name one: --ec2cert PATH",
  });
}

function isVariant(text: string): text is CertificateVariant {
  return text === "commercial" || text === "cn-north-1" || text === "gov";
}
