import { randomUUID } from "node:crypto";
import type { Image, Provider } from "../aws/provider.ts";
import { Problem } from "../problem.ts";
import type { PreflightInput } from "./preflight.ts";
import type { StageContext } from "./stage.ts";

type Wanted = { readonly architecture: string | null; readonly virtualization: string | null };

/** Of these instance types those that the region offers and that can run the image; a Problem when there is none. */
export async function usableTypes(
  provider: Provider,
  names: readonly string[],
  { architecture, virtualization }: Wanted,
  { signal, log }: StageContext,
): Promise<readonly string[]> {
  const offered = await provider.instanceTypes(names, signal);
  const reasons = names.map((name) => {
    const type = offered.find((candidate) => candidate.name === name);
    if (!type) return { name, why: `${provider.region} does not offer it` };
    if (!type.rootDeviceTypes.includes("instance-store"))
      return { name, why: "it cannot have an instance-store root" };
    if (architecture !== null && !type.architectures.includes(architecture))
      return { name, why: `it does not run ${architecture}` };
    if (virtualization !== null && !type.virtualizations.includes(virtualization))
      return { name, why: `it does not run ${virtualization}` };
    return { name, why: null };
  });
  for (const { name, why } of reasons) if (why !== null) log(`${name} left out: ${why}`);
  const usable = reasons.filter(({ why }) => why === null).map(({ name }) => name);
  if (usable.length > 0) return usable;
  const list = reasons.map(({ name, why }) => `${name} (${why})`).join(", ");
  throw new Problem("preflight-failed", `no instance type of the spec can run this image: ${list}`, {
    hint: "instance-store roots run on the families C1 C3 D2 I2 M1 M2 M3 R3 X1; m3.medium is the usual choice",
  });
}

/** Asks EC2 whether it would: a permission that is missing for the launch is told before anything is created. */
export async function tryLaunch(
  provider: Provider,
  launch: PreflightInput["launch"],
  source: Image,
  [instanceType]: readonly string[],
  { run, signal }: StageContext,
): Promise<void> {
  if (instanceType === undefined) return;
  const tags = { "imgspec:run": run.id };
  const clientToken = randomUUID();
  const request = {
    ...launch,
    image: source.id,
    instanceType,
    keyName: launch.keyName ?? null,
    userData: null,
    clientToken,
    tags,
  };
  await provider.canLaunchInstance(request, signal);
}

/** What differs from the launch of the build is looked at here, and not after an hour. */
export async function checkGate(
  provider: Provider,
  { instanceTypes, launch }: PreflightInput,
  gate: NonNullable<PreflightInput["gate"]>,
  source: Image | undefined,
  wanted: Wanted,
  context: StageContext,
): Promise<readonly string[] | null> {
  const isSame =
    gate.instanceTypes.join() === instanceTypes.join() &&
    gate.iamInstanceProfile === launch.iamInstanceProfile;
  if (isSame) return null;
  const types = await usableTypes(provider, gate.instanceTypes, wanted, context);
  const { iamInstanceProfile } = gate;
  if (source) await tryLaunch(provider, { ...launch, iamInstanceProfile }, source, types, context);
  return types;
}
