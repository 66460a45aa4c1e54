import type { Command } from "commander";
import type { Provider, SigningCertificate } from "../aws/provider.ts";
import { addTalkOptions, bundling, print, type TalkOptions } from "./bundle-options.ts";
import { listen } from "./interrupt.ts";
import { readPem } from "./keys.ts";
import { addStoreOptions, openCloud, type StoreOptions, toSeeker } from "./store-options.ts";

type IamOptions = TalkOptions & StoreOptions & { readonly userName?: string };

/** `imgspec cert upload`: tells IAM of a signing certificate. */
export function addCertUpload(cert: Command, exit: (code: number) => void): void {
  const command = cert
    .command("upload")
    .description(
      "Give IAM a signing certificate of a user; one that IAM has already is left. Bundles do not need it.",
    )
    .argument("<file>", "a PEM certificate");
  addIamOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  imgspec cert upload cert.pem
  imgspec cert upload cert.pem --user-name builder --profile acme`,
    )
    .action(async (file: string, options: IamOptions) => exit(await bundling(() => upload(file, options))));
}

/** `imgspec cert list`: the signing certificates that IAM knows. */
export function addCertList(cert: Command, exit: (code: number) => void): void {
  const command = cert.command("list").description("Print the signing certificates that IAM has of a user.");
  addIamOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  imgspec cert list --user-name builder`,
    )
    .action(async (options: IamOptions) => exit(await bundling(() => list(options))));
}

function addIamOptions(command: Command): Command {
  return addTalkOptions(
    addStoreOptions(command).option("--user-name <name>", "an IAM user; absent: yourself"),
  );
}

async function upload(file: string, options: IamOptions): Promise<number> {
  const pem = await readPem(file, "certificate");
  const [{ describeCertificate }, { toPublicKey }] = await Promise.all([
    import("../bundle/describe-certificate.ts"),
    import("../bundle/pem.ts"),
  ]);
  toPublicKey(pem, `certificate ${file}`);
  const wanted = idOf(describeCertificate, pem);
  using interrupt = listen();
  const { signal } = interrupt;
  const provider = await openIam(options);
  const user = options.userName ?? null;
  const known = await provider.signingCertificates(user, signal);
  const there = known.find(({ certificate }) => idOf(describeCertificate, certificate) === wanted);
  const found = there ?? (await provider.uploadSigningCertificate({ user, certificate: pem }, signal));
  print(options, { ...found, alreadyThere: there !== undefined }, () =>
    there === undefined
      ? `IAM has it as ${found.id} of user ${found.user}`
      : `IAM had it already: ${toLine(found)}`,
  );
  return 0;
}

async function list(options: IamOptions): Promise<number> {
  using interrupt = listen();
  const provider = await openIam(options);
  const known = await provider.signingCertificates(options.userName ?? null, interrupt.signal);
  print(options, known, () => (known.length === 0 ? "there are none" : known.map(toLine).join("\n")));
  return 0;
}

/** IAM is one for all regions of a partition; any of them will do. */
async function openIam(options: IamOptions): Promise<Provider> {
  const { toAccount } = await import("../store/locate.ts");
  const cloud = await openCloud(options);
  return cloud.account(await toAccount(cloud, toSeeker(options)));
}

function toLine({ id, user, isActive }: SigningCertificate): string {
  return `${id} of user ${user}, ${isActive ? "active" : "inactive"}`;
}

/** Two spellings of one PEM are one certificate. */
function idOf(
  describe: typeof import("../bundle/describe-certificate.ts")["describeCertificate"],
  pem: string,
): string {
  const { certificate, pin } = describe(pem);
  return certificate?.sha256 ?? pin;
}
