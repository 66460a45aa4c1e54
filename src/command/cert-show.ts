import type { Command } from "commander";
import type { CertificateFacts } from "../bundle/describe-certificate.ts";
import {
  addKeyOptions,
  addTalkOptions,
  bundling,
  type KeyOptions,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { listen } from "./interrupt.ts";
import { readPem, readPrivateKey } from "./keys.ts";

type ShowOptions = TalkOptions & KeyOptions;

/** `imgspec cert show`: what a certificate is, and whose. */
export function addCertShow(cert: Command, exit: (code: number) => void): void {
  const command = cert
    .command("show")
    .description("Print what a certificate or public key holds, and whether it is one of EC2's.")
    .argument("<file>", "a PEM certificate or RSA public key");
  addTalkOptions(addKeyOptions(command, "also say whether this private key belongs to it"))
    .addHelpText(
      "after",
      `
Examples:
  imgspec cert show cert.pem --privatekey pk.pem
  imgspec cert show cert-ec2.pem --output json`,
    )
    .action(async (file: string, options: ShowOptions) => exit(await bundling(() => act(file, options))));
}

async function act(file: string, options: ShowOptions): Promise<number> {
  const pem = await readPem(file, "certificate");
  const { describeCertificate, isPair } = await import("../bundle/describe-certificate.ts");
  using interrupt = listen();
  const facts = describeCertificate(pem);
  const privateKey = await readPrivateKey(options, interrupt.signal);
  const pair = privateKey === undefined ? null : isPair(pem, privateKey);
  print(options, { file, ...facts, isPair: pair }, () => toText(facts, pair, new Date()));
  return pair === false ? 4 : 0;
}

function toText(
  { certificate, bits, pin, variant }: CertificateFacts,
  pair: boolean | null,
  now: Date,
): string {
  const rows: readonly (readonly [string, string])[] = [
    ...(certificate === null
      ? ([["kind", "a bare public key"]] as const)
      : ([
          ["subject", certificate.subject],
          ["issuer", certificate.issuer],
          ["serial", certificate.serial],
          ["valid", validityOf(certificate, now)],
          ["SHA-256", certificate.sha256],
          ["SHA-1", certificate.sha1],
        ] as const)),
    ["key", `RSA, ${bits} bits`],
    ["pin", `${pin} (SHA-256 of the public key)`],
    ["EC2", variant === null ? "none of EC2's keys" : `EC2's ${variant} key`],
    ...(pair === null
      ? []
      : [["pair", pair ? "the private key belongs to it" : "NOT of this private key"] as const]),
  ];
  return rows.map(([label, value]) => `${label.padEnd(8)} ${value}`).join("\n");
}

function validityOf(
  { notBefore, notAfter }: NonNullable<CertificateFacts["certificate"]>,
  now: Date,
): string {
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  const expired = notAfter < now ? " (expired; for bundles that does not count)" : "";
  return `${day(notBefore)} to ${day(notAfter)}${expired}`;
}
