import { rename, rm, stat, writeFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import { withFiles } from "../bundle/file-problem.ts";
import { Problem } from "../problem.ts";
import { addTalkOptions, bundling, print, type TalkOptions } from "./bundle-options.ts";
import { toCount } from "./options.ts";

type CreateOptions = TalkOptions & {
  readonly bits: "2048" | "3072" | "4096";
  readonly days: number;
  readonly commonName: string;
  readonly outCert: string;
  readonly outKey: string;
  readonly force?: boolean;
};

/** `imgspec cert create`: in place of openssl genrsa and openssl req. */
export function addCertCreate(cert: Command, exit: (code: number) => void): void {
  addTalkOptions(
    cert
      .command("create")
      .description("Make an RSA key and a self-signed certificate to sign bundles with.")
      .addOption(
        new Option("--bits <number>", "of the RSA key").choices(["2048", "3072", "4096"]).default("2048"),
      )
      .option("--days <number>", "how long the certificate says that it is valid", toCount, 3650)
      .option("--common-name <name>", "whose it is", "imgspec")
      .option("--out-cert <path>", "where the certificate goes", "cert.pem")
      .option("--out-key <path>", "where the private key goes, readable by you alone", "pk.pem")
      .option("--force", "overwrite files that exist"),
  )
    .addHelpText(
      "after",
      `
Examples:
  imgspec cert create --common-name "acme images"
  imgspec cert create --bits 4096 --days 365 --out-cert cert.pem --out-key pk.pem`,
    )
    .action(async (options: CreateOptions) => exit(await bundling(() => act(options))));
}

const bitsOf = { "2048": 2048, "3072": 3072, "4096": 4096 } as const;

async function act(options: CreateOptions): Promise<number> {
  const { outCert, outKey, force = false } = options;
  if (outCert === outKey) throw new Problem("usage-wrong", "certificate and key cannot be the same file");
  if (!force) for (const path of [outCert, outKey]) await expectFree(path);
  const { newUserCertificate } = await import("../bundle/user-certificate.ts");
  const pair = await newUserCertificate({
    commonName: options.commonName,
    bits: bitsOf[options.bits],
    days: options.days,
  });
  await write(outKey, pair.privateKey, 0o600, force);
  try {
    await write(outCert, pair.certificate, 0o644, force);
  } catch (error) {
    if (!force) await rm(outKey, { force: true });
    throw error;
  }
  const { describeCertificate } = await import("../bundle/describe-certificate.ts");
  const facts = describeCertificate(pair.certificate);
  print(
    options,
    { certificate: outCert, privateKey: outKey, sha256: facts.certificate?.sha256, pin: facts.pin },
    () => `${outCert} and ${outKey} written: keep ${outKey}, it opens what is bundled with it`,
  );
  return 0;
}

async function expectFree(path: string): Promise<void> {
  if (!(await stat(path).catch(() => undefined))) return;
  throw new Problem("usage-wrong", `${path} exists already`, {
    hint: "name another file, or overwrite it with --force",
  });
}

/** Written beside and moved, so that an older key is whole until the new one is. */
async function write(path: string, text: string, mode: number, force: boolean): Promise<void> {
  await withFiles(`cannot write ${path}`, async () => {
    if (!force) return writeFile(path, text, { mode, flag: "wx" });
    const { randomBytes } = await import("node:crypto");
    const temporary = `${path}.${randomBytes(6).toString("hex")}.partial`;
    try {
      await writeFile(temporary, text, { mode, flag: "wx" });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  });
}
