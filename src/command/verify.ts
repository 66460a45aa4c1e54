import type { Command } from "commander";
import type { Check, Verification } from "../bundle/verify-bundle.ts";
import {
  addKeyOptions,
  addManifest,
  addTalkOptions,
  bundling,
  type KeyOptions,
  type ManifestOptions,
  newMeter,
  oneOf,
  print,
  type TalkOptions,
} from "./bundle-options.ts";
import { addSourceOptions, openNamed, type SourceOptions } from "./bundle-place.ts";
import { listen } from "./interrupt.ts";
import { readPem, readPrivateKey } from "./keys.ts";

type VerifyCommandOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  SourceOptions & { readonly cert?: string };

/** `imgspec verify`: all that unbundling checks, and more, without an image. */
export function addVerify(program: Command, exit: (code: number) => void): void {
  const command = addManifest(
    program
      .command("verify")
      .description(
        "Check a bundle without unpacking it: with no key its parts, with a certificate its signature, " +
          "with the private key all of it.",
      ),
  );
  addKeyOptions(command, "the RSA private key (PEM) that the bundle was made with: its contents are verified")
    .option("-c, --cert <path>", "the certificate of who signed the manifest: its signature is verified")
    .option("-s, --source <directory>", "where the parts are; beside the manifest when absent");
  addTalkOptions(addSourceOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec verify web.img.manifest.xml
  imgspec verify s3://acme-images/web/1/web.img.manifest.xml --profile acme
  imgspec verify web.img.manifest.xml --privatekey pk.pem --cert cert.pem --output json

Exit code 6 when something is wrong; every bad part is named.`,
    )
    .action(async (manifest: string | undefined, options: VerifyCommandOptions) =>
      exit(await bundling(() => act(manifest, options))),
    );
}

async function act(argument: string | undefined, options: VerifyCommandOptions): Promise<number> {
  const path = oneOf(argument, options.manifest, "manifest");
  const { verifyBundle } = await import("../bundle/verify-bundle.ts");
  using interrupt = listen();
  const { signal } = interrupt;
  const privateKey = await readPrivateKey(options, signal);
  const bundle = await openNamed(path, { ...options, privateKey }, signal);
  const { image } = bundle.manifest;
  using meter = await newMeter(options, `verifying ${image.name}`, image.bundledSizeBytes);
  const verification = await verifyBundle(bundle, {
    ...(privateKey === undefined ? {} : { privateKey }),
    ...(options.cert === undefined ? {} : { certificate: await readPem(options.cert, "certificate") }),
    signal,
    onProgress: (doneBytes) => meter?.update(doneBytes),
  });
  meter?.[Symbol.dispose]();
  print(options, { manifest: path, ...verification }, () => toText(path, verification));
  return verification.isGood ? 0 : 6;
}

function toText(path: string, { isGood, checks }: Verification): string {
  const isWhole = checks.every(({ outcome }) => outcome !== "skipped");
  const verdict = isGood ? `good${isWhole ? "" : ", as far as it was checked"}` : "NOT good";
  return [...checks.map(toLine), `${path} is ${verdict}`].join("\n");
}

function toLine({ name, outcome, details }: Check): string {
  const words = { passed: "ok", failed: "FAILED", skipped: "-" }[outcome].padEnd(6);
  const [first, ...more] = details;
  const indent = " ".repeat(18);
  return [`${words}  ${name.padEnd(9)} ${first}`, ...more.map((detail) => `${indent}${detail}`)].join("\n");
}
