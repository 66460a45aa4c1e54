import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { Problem } from "../problem.ts";

/**
 * The RSA public key of a PEM certificate or public key. Dates, issuer and purpose are not looked at: EC2's own
 * certificates are long expired and still the ones to use. Unusable text is the Problem `certificate-unusable`.
 */
export function toPublicKey(pem: string, what = "certificate"): KeyObject {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new Problem("certificate-unusable", `the ${what} is a private key`, {
      hint: "give the certificate (-----BEGIN CERTIFICATE-----)",
    });
  }
  return rsa(what, pem, () => createPublicKey(pem));
}

/** The RSA private key of a PEM text, PKCS#1 or PKCS#8, not encrypted; else the Problem `certificate-unusable`. */
export function toPrivateKey(pem: string, what = "private key"): KeyObject {
  if (isEncryptedKey(pem)) {
    throw new Problem("certificate-unusable", `the ${what} is encrypted with a passphrase`, {
      hint: "decrypt it: openssl pkey -in KEY -out PLAIN_KEY, and keep the result mode 0600",
    });
  }
  return rsa(what, pem, () => createPrivateKey(pem));
}

/** Whether it takes a passphrase to use this private key, PKCS#1 or PKCS#8. */
export function isEncryptedKey(pem: string): boolean {
  return /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: *4,ENCRYPTED/m.test(pem);
}

/** The same private key, as PEM without a passphrase. Throws `certificate-unusable` when the passphrase is wrong. */
export function decryptPrivateKey(pem: string, passphrase: string, what = "private key"): string {
  try {
    return createPrivateKey({ key: pem, passphrase }).export({ type: "pkcs8", format: "pem" }).toString();
  } catch (cause) {
    throw new Problem("certificate-unusable", `the ${what} does not decrypt with this passphrase`, { cause });
  }
}

function rsa(what: string, pem: string, parse: () => KeyObject): KeyObject {
  if (!pem.includes("-----BEGIN ")) throw new Problem("certificate-unusable", `the ${what} is not PEM`);
  const key = attempt(what, parse);
  if (key.asymmetricKeyType !== "rsa") {
    throw new Problem(
      "certificate-unusable",
      `the ${what} has a key of type ${key.asymmetricKeyType}; bundles need RSA`,
    );
  }
  return key;
}

function attempt(what: string, parse: () => KeyObject): KeyObject {
  try {
    return parse();
  } catch (cause) {
    throw new Problem("certificate-unusable", `the ${what} cannot be read as PEM`, { cause });
  }
}
