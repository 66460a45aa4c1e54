import { EBSClient } from "@aws-sdk/client-ebs";
import { EC2Client } from "@aws-sdk/client-ec2";
import { S3Client } from "@aws-sdk/client-s3";
import { STSClient } from "@aws-sdk/client-sts";
import { startMoto } from "../help/moto.ts";
import { newRig, toClientOptions } from "./rig.ts";

/** Clients of one cloud. */
type Clients = {
  readonly ebs: (region: string) => EBSClient;
  readonly ec2: (region: string) => EC2Client;
  readonly s3: (region: string) => S3Client;
  readonly sts: (region: string) => STSClient;
};

/** Moto and the emulator, to do the same to both. */
export type MotoRig = AsyncDisposable & {
  /** What `act` gives for moto, and for the emulator. */
  both<T>(act: (clients: Clients) => Promise<T>): Promise<readonly [T, T]>;
};

export async function newMotoRig(): Promise<MotoRig> {
  const [moto, rig] = await Promise.all([startMoto(), newRig()]);
  const theirs = toClients({ ...toClientOptions(rig.emulator), endpoint: moto.url });
  const ours = toClients(toClientOptions(rig.emulator));
  return {
    both: async (act) => [await act(theirs), await act(ours)],
    async [Symbol.asyncDispose]() {
      await Promise.all([moto[Symbol.asyncDispose](), rig[Symbol.asyncDispose]()]);
    },
  };
}

function toClients(options: ReturnType<typeof toClientOptions>): Clients {
  return {
    ebs: (region) => new EBSClient({ ...options, region }),
    ec2: (region) => new EC2Client({ ...options, region }),
    s3: (region) => new S3Client({ ...options, region, forcePathStyle: true }),
    sts: (region) => new STSClient({ ...options, region }),
  };
}

/** A value in which everything that is different each time is replaced by what it is. */
export function normalised(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_name, inner: unknown) => {
    if (typeof inner !== "string") return inner;
    return inner
      .replaceAll(/\b(ami|i|key|r|sg|sgr|snap|subnet|vol|vpc)-[0-9a-f]{8,17}\b/g, "$1-ID")
      .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, "DATE");
  });
}
