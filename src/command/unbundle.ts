import type { Command } from "commander";
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

type UnbundleCommandOptions = TalkOptions &
  KeyOptions &
  ManifestOptions &
  SourceOptions & {
    readonly privatekey: string;
    readonly cert?: string;
    readonly destination: string;
    readonly force?: boolean;
  };

/** `imgspec unbundle`: the successor of ec2-unbundle. */
export function addUnbundle(program: Command, exit: (code: number) => void): void {
  const command = addManifest(
    program
      .command("unbundle")
      .description(
        "Take the image out of a bundle. Everything is verified first; a bad bundle leaves no file.",
      ),
  );
  addKeyOptions(command, "the RSA private key (PEM) that the bundle was made with (required)")
    .option("-c, --cert <path>", "the certificate of who signed the manifest: its signature is verified")
    .option("-s, --source <directory>", "where the parts are; beside the manifest when absent")
    .option("-d, --destination <directory>", "where the image goes, under the bundle's name", ".")
    .option("--force", "overwrite a file of that name");
  addTalkOptions(addSourceOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  imgspec unbundle web.img.manifest.xml --privatekey pk.pem --destination restored
  imgspec unbundle s3://acme-images/web/1/web.img.manifest.xml --privatekey pk.pem`,
    )
    .action(async (manifest: string | undefined, options: UnbundleCommandOptions) =>
      exit(await bundling(() => act(manifest, options))),
    );
}

async function act(argument: string | undefined, options: UnbundleCommandOptions): Promise<number> {
  const path = oneOf(argument, options.manifest, "manifest");
  oneOf(undefined, options.privatekey, "private key");
  const { unbundle } = await import("../bundle/unbundle.ts");
  using interrupt = listen();
  const { signal } = interrupt;
  const privateKey = (await readPrivateKey(options, signal)) ?? "";
  const bundle = await openNamed(path, { ...options, privateKey }, signal);
  const { image } = bundle.manifest;
  using meter = await newMeter(options, `unbundling ${image.name}`, image.bundledSizeBytes);
  const unbundled = await unbundle(bundle, {
    privateKey,
    ...(options.cert === undefined ? {} : { certificate: await readPem(options.cert, "certificate") }),
    destination: options.destination,
    force: options.force ?? false,
    signal,
    onProgress: (doneBytes) => meter?.update(doneBytes),
  });
  meter?.[Symbol.dispose]();
  const { toSize } = await import("../report/format.ts");
  print(options, unbundled, () => `${unbundled.path}: ${toSize(unbundled.sizeBytes)}, verified`);
  return 0;
}
