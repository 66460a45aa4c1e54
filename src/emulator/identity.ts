import { randomBytes, randomInt } from "node:crypto";
import { newUserCertificate, type UserCertificate } from "../bundle/user-certificate.ts";
import type { CertificateVariant } from "../util/region.ts";
import type { AccessKey } from "./authorization.ts";
import { readState, writeState } from "./state-file.ts";

/** Whose cloud it is. One account and one access key serve all three partitions, which in AWS they never do. */
export type Identity = {
  /** Twelve digits. */
  readonly accountId: string;
  readonly accessKey: AccessKey;
  /** What stands in for EC2's own key pairs, as PEM. */
  readonly ec2Keys: Readonly<Record<CertificateVariant, UserCertificate>>;
};

/** The identity kept in this file, made when there is none yet. */
export async function openIdentity(path: string): Promise<Identity> {
  const kept = await readState<Identity>(path);
  if (kept) return kept;
  const made = await makeIdentity();
  await writeState(path, made);
  return made;
}

async function makeIdentity(): Promise<Identity> {
  const [commercial, china, gov] = await Promise.all([
    newUserCertificate({ commonName: "EC2 (emulated)" }),
    newUserCertificate({ commonName: "EC2 cn-north-1 (emulated)" }),
    newUserCertificate({ commonName: "EC2 GovCloud (emulated)" }),
  ]);
  return {
    accountId: String(randomInt(100_000_000_000, 999_999_999_999)),
    accessKey: {
      accessKeyId: `AKIA${randomBase32(16)}`,
      secretAccessKey: randomBytes(30).toString("base64"),
    },
    ec2Keys: { commercial, "cn-north-1": china, gov },
  };
}

function randomBase32(length: number): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return Array.from({ length }, () => letters[randomInt(letters.length)]).join("");
}
