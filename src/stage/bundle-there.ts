import type { Provider } from "../aws/provider.ts";
import { newPassphrase, toBundleKey } from "../bundle/key.ts";
import { streamedPartName } from "../bundle/pack.ts";
import { runHeld } from "../machine/held-command.ts";
import { persist } from "../machine/held-machine.ts";
import { bundleRemotely, type RemotePart } from "../machine/remote-bundle.ts";
import { toImageCommand } from "../machine/root-image.ts";
import { type RootImageRequest, toRootImageProgram } from "../machine/root-image-program.ts";
import { partType } from "../store/put-file.ts";
import type { BundleInput, Packed } from "./bundle.ts";
import { type InstancePlace, levelThere } from "./bundle-place.ts";
import { joinKey } from "./preflight.ts";
import { bundleObjects, bundleParts } from "./resources.ts";
import type { StageContext } from "./stage.ts";

/** How many parts are journalled at once, before the first of them may be put. */
const blockParts = 64;

/** S3 asks whether a URL is valid when a request begins, and curl begins when it has it. */
const validSeconds = 300;

/** Has the instance make the bundle and put its parts into S3; only the manifest is left to be made. */
export async function bundleThere(
  input: BundleInput,
  request: RootImageRequest,
  { held, directory }: InstancePlace,
  context: StageContext,
): Promise<Packed> {
  const { account } = input.on;
  const { bucket, prefix, acl } = input.upload;
  const passphrase = newPassphrase();
  // Before the first part goes up: what is there of another build must stay whole.
  await context.scope.acquire(bundleObjects, {
    account,
    bucket,
    keys: [joinKey(prefix, `${input.name}.manifest.xml`)],
    acl,
    run: context.run.id,
    manifestSha1: null,
  });
  const sudo = input.on.user !== "root";
  const made = await bundleRemotely({
    name: input.name,
    modifiedAt: new Date(),
    passphrase,
    level: levelThere(input),
    directory,
    image: { command: toImageCommand(request), stdin: await toRootImageProgram(request) },
    signal: context.signal,
    run: (command) => runHeld(held, { ...command, sudo }),
    write: (content, path, signal) =>
      persist(held, signal, (machine) => machine.write(content, path, { mode: 0o600, signal })),
    sign: toSigner(input, context),
    log: (line) => context.log(line),
    onProgress: (doneBytes) => context.progress(doneBytes),
  });
  const partName = (index: number): string => streamedPartName(input.name, index);
  return { ...made, key: toBundleKey(passphrase), partName, isStored: true };
}

/** Signs for a part once its key is in the journal. */
function toSigner(
  input: BundleInput,
  { scope, cloud, signal }: StageContext,
): (part: RemotePart) => ReturnType<Provider["presignPut"]> {
  const { account, instanceId } = input.on;
  const { bucket, prefix, acl } = input.upload;
  const keyOf = (index: number): string => joinKey(prefix, streamedPartName(input.name, index));
  const blocks = new Map<number, Promise<unknown>>();
  const acquire = (block: number): Promise<unknown> => {
    const keys = Array.from({ length: blockParts }, (_, index) => keyOf(block * blockParts + index));
    const acquiring = blocks.get(block) ?? scope.acquire(bundleParts, { account, bucket, keys, instanceId });
    blocks.set(block, acquiring);
    return acquiring;
  };
  return async ({ index, sha1, sizeBytes }) => {
    await acquire(Math.floor(index / blockParts));
    const body = { sizeBytes, sha1, contentType: partType, acl };
    return cloud.account(account).presignPut({ bucket, key: keyOf(index) }, body, validSeconds, signal);
  };
}
