import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { CloudOptions } from "../aws/cloud.ts";
import type { CertificateVariant } from "../util/region.ts";
import type { Emulator, EmulatorOptions } from "./emulator.ts";
import { furnish } from "./furnish.ts";
import type { Identity } from "./identity.ts";
import type { InstanceHost } from "./instance-host.ts";
import { createWorldServer } from "./server.ts";
import { openWorld, type World } from "./world.ts";

/** Opens the world in the directory and serves it on 127.0.0.1. */
export async function startEmulator(
  options: EmulatorOptions & { readonly instances: InstanceHost },
): Promise<Emulator> {
  const world = await openWorld(options.directory, options.instances);
  const server = createWorldServer(world);
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const { rules, identity } = world;
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await world.fleet.close();
    await world.ec2.save();
    await closed;
  };
  return {
    url,
    cloud: toCloudOptions(url, identity),
    accountId: identity.accountId,
    fail: (action, fault, rule) => rules.fail(action, fault, rule),
    deny: (action) => rules.deny(action),
    allow: (action) => rules.allow(action),
    furnish: (furniture) => furnish(world, furniture),
    calls: (action) => rules.calls(action),
    left: () => toLeft(world),
    [Symbol.asyncDispose]: () => {
      closing ??= close();
      return closing;
    },
  };
}

function toCloudOptions(url: string, { accessKey, ec2Keys }: Identity): CloudOptions {
  const certificates: Record<CertificateVariant, string> = {
    commercial: ec2Keys.commercial.certificate,
    "cn-north-1": ec2Keys["cn-north-1"].certificate,
    gov: ec2Keys.gov.certificate,
  };
  return {
    endpointUrl: url,
    credentials: accessKey,
    checkIpUrl: `${url}/checkip`,
    networkProxy: url,
    ec2Certificates: certificates,
  };
}

function toLeft({ ec2 }: World): ReturnType<Emulator["left"]> {
  const regions = ec2.regions();
  return {
    instances: regions
      .flatMap(({ instances }) => [...instances.values()])
      .filter(({ state }) => state !== "terminated")
      .map(({ id }) => id),
    keyPairs: regions.flatMap(({ keyPairs }) => [...keyPairs.keys()]),
    securityGroups: regions
      .flatMap(({ groups }) => [...groups.values()])
      .filter(({ name }) => name !== "default")
      .map(({ id }) => id),
  };
}
