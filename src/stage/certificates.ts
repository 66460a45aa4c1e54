import { readFile } from "node:fs/promises";
import type { CloudOptions } from "../aws/cloud.ts";
import { ec2PublicKey, variantOfKey } from "../bundle/ec2-keys.ts";
import { checkPair, newUserCertificate } from "../bundle/user-certificate.ts";
import { Problem } from "../problem.ts";
import type { CertificateInput } from "./preflight.ts";

export type Certificates = {
  /** PEM of EC2's public key or certificate: what the bundle's key is wrapped for. */
  readonly ec2: string;
  /** How people call it: a variant's name, or a path. */
  readonly ec2Name: string;
  /** Null: a pair is made for the run. */
  readonly user: { readonly certificate: string; readonly privateKey: string } | null;
};

/** Reads what `certificate` names and holds it against the region. Throws `certificate-unusable`. */
export async function chooseCertificates(
  input: CertificateInput,
  cloud: CloudOptions,
): Promise<Certificates> {
  return { ...(await chooseEc2Key(input, cloud)), user: await readPair(input) };
}

/** The user's pair, or one that lives only in this process: it signs the manifest and is of no use afterwards. */
export function userPair(
  chosen: Certificates,
): Promise<{ readonly certificate: string; readonly privateKey: string }> {
  return chosen.user ? Promise.resolve(chosen.user) : newUserCertificate();
}

async function chooseEc2Key(
  { ec2, regional, allowMismatch }: CertificateInput,
  { ec2Certificates }: CloudOptions,
): Promise<{ ec2: string; ec2Name: string }> {
  if (ec2 !== null && typeof ec2 === "object") {
    const pem = await read(ec2.path);
    const variant = naming(ec2.path, () => variantOfKey(pem, ec2Certificates));
    if (regional !== null && variant !== regional && !allowMismatch) {
      throw new Problem(
        "certificate-unusable",
        `${ec2.path} holds ${variant === null ? "an unknown key" : `EC2's ${variant} key`}, but this region's EC2 opens bundles with the ${regional} key`,
        { hint: "leave certificate.ec2 out to use the right key, or set certificate.allowMismatch: true" },
      );
    }
    return { ec2: pem, ec2Name: ec2.path };
  }
  const variant = ec2 ?? regional;
  if (variant === null) {
    throw new Problem("certificate-unusable", "EC2 has published no certificate for this region", {
      hint: "give the path of one in certificate.ec2",
    });
  }
  return { ec2: ec2Certificates?.[variant] ?? ec2PublicKey(variant), ec2Name: variant };
}

async function readPair({ user }: CertificateInput): Promise<Certificates["user"]> {
  if (user === null) return null;
  const certificate = await read(user.certificate);
  const privateKey = await read(user.privateKey);
  naming(`${user.certificate} with ${user.privateKey}`, () => checkPair(certificate, privateKey));
  return { certificate, privateKey };
}

/** Says of which file something is wrong. */
function naming<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new Problem(error.code, `${path}: ${error.message}`, {
      hint: error.hint ?? "check the paths in the section certificate of the spec",
      cause: error.cause,
    });
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Problem(
      "certificate-unusable",
      `cannot read ${path}: ${(cause as NodeJS.ErrnoException).code}`,
      {
        hint: "check the path in the section certificate of the spec",
        cause,
      },
    );
  }
}
