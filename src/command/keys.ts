import { readFile } from "node:fs/promises";
import { withFiles } from "../bundle/file-problem.ts";
import { decryptPrivateKey, isEncryptedKey, toPrivateKey } from "../bundle/pem.ts";
import type { UserCertificate } from "../bundle/user-certificate.ts";
import { Problem } from "../problem.ts";
import type { KeyOptions } from "./bundle-options.ts";

/** PEM of the private key that the options name, without its passphrase; `undefined` when they name none. */
export async function readPrivateKey(
  { privatekey, passphraseFile }: KeyOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (privatekey === undefined) return undefined;
  const pem = await readPem(privatekey, "private key");
  if (!isEncryptedKey(pem)) {
    toPrivateKey(pem, `private key ${privatekey}`);
    return pem;
  }
  const { readPassphrase } = await import("./passphrase.ts");
  return decryptPrivateKey(
    pem,
    await readPassphrase(privatekey, passphraseFile, signal),
    `private key ${privatekey}`,
  );
}

/** The text of a PEM file; else the Problem `file-unreadable`. */
export function readPem(path: string, what: string): Promise<string> {
  return withFiles(`cannot read the ${what} ${path}`, () => readFile(path, "utf8"));
}

/** Certificate and private key of whoever bundles; `undefined` when neither is named. Throws when they are no pair. */
export async function readPair(
  options: KeyOptions & { readonly cert?: string },
  signal: AbortSignal,
): Promise<UserCertificate | undefined> {
  const { cert, privatekey } = options;
  if (cert === undefined && privatekey === undefined) return undefined;
  if (cert === undefined || privatekey === undefined) {
    const missing = cert === undefined ? "--cert" : "--privatekey";
    throw new Problem("usage-wrong", `${missing} is missing`, {
      hint: "give both --cert and --privatekey, or neither for a fresh pair",
    });
  }
  const certificate = await readPem(cert, "certificate");
  const privateKey = (await readPrivateKey(options, signal)) ?? "";
  const { checkPair } = await import("../bundle/user-certificate.ts");
  checkPair(certificate, privateKey);
  return { certificate, privateKey };
}
