import { createHash, generateKeyPair } from "node:crypto";
import { promisify } from "node:util";
import ssh2 from "ssh2";
import { newKeyPair } from "../../machine/key-pair.ts";
import { AwsFault } from "../fault.ts";
import { toItems } from "../xml.ts";
import { done, type Ec2Action, type Ec2Call, proceed } from "./ec2-call.ts";
import { filtered } from "./filters.ts";
import type { KeyPair } from "./records.ts";
import { newId } from "./state.ts";
import { readTagSpecifications, toTagSet } from "./tags.ts";

const importKeyPair: Ec2Action = (call) => {
  const name = newName(call);
  const text = Buffer.from(call.params.required("PublicKeyMaterial"), "base64").toString("utf8").trim();
  const { type, blob } = toPublicKey(text);
  const tags = readTagSpecifications(call.params, "key-pair");
  proceed(call);
  const fingerprint = type === "rsa" ? md5Fingerprint(text) : sha256Fingerprint(blob);
  return toAnswer(keep(call, { name, type, publicKey: text, fingerprint, tags }));
};

const createKeyPair: Ec2Action = async (call) => {
  const name = newName(call);
  const type = call.params.text("KeyType") ?? "rsa";
  if (type !== "rsa" && type !== "ed25519") {
    throw new AwsFault("InvalidParameterValue", `Value (${type}) for parameter keyType is invalid.`);
  }
  if ((call.params.text("KeyFormat") ?? "pem") !== "pem") {
    throw new AwsFault("UnsupportedOperation", "The emulator makes keys in PEM format only.");
  }
  const tags = readTagSpecifications(call.params, "key-pair");
  proceed(call);
  const made = type === "rsa" ? await makeRsa() : makeEd25519();
  const pair = keep(call, { name, type, publicKey: made.publicKey, fingerprint: made.fingerprint, tags });
  return { ...toAnswer(pair), keyMaterial: made.privateKey };
};

type MadeKey = { readonly publicKey: string; readonly privateKey: string; readonly fingerprint: string };

async function makeRsa(): Promise<MadeKey> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const der = privateKey.export({ type: "pkcs8", format: "der" });
  return {
    privateKey: pem,
    publicKey: toLine(pem),
    fingerprint: withColons(createHash("sha1").update(der).digest("hex")),
  };
}

function makeEd25519(): MadeKey {
  const made = newKeyPair("");
  return {
    privateKey: made.private,
    publicKey: made.public,
    fingerprint: sha256Fingerprint(toPublicKey(made.public).blob),
  };
}

function toLine(privateKey: string): string {
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  return `${parsed.type} ${parsed.getPublicSSH().toString("base64")}`;
}

function newName({ params, region }: Ec2Call): string {
  const name = params.required("KeyName");
  if (name.length > 255)
    throw new AwsFault(
      "InvalidParameterValue",
      "Invalid value for parameter KeyName: longer than 255 characters",
    );
  if ([...region.keyPairs.values()].some((pair) => pair.name === name)) {
    throw new AwsFault("InvalidKeyPair.Duplicate", `The keypair already exists: ${name}`);
  }
  return name;
}

function toPublicKey(text: string): { readonly type: KeyPair["type"]; readonly blob: Buffer } {
  const parsed = ssh2.utils.parseKey(text);
  const types: Readonly<Record<string, KeyPair["type"]>> = { "ssh-rsa": "rsa", "ssh-ed25519": "ed25519" };
  const type = parsed instanceof Error || parsed.isPrivateKey() ? undefined : types[parsed.type];
  if (parsed instanceof Error || !type)
    throw new AwsFault("InvalidKey.Format", "Key is not in valid OpenSSH public key format");
  return { type, blob: parsed.getPublicSSH() };
}

/** EC2's fingerprint of an imported RSA key: MD5 of its DER SubjectPublicKeyInfo. */
function md5Fingerprint(line: string): string {
  const parsed = ssh2.utils.parseKey(line);
  if (parsed instanceof Error) throw parsed;
  const der = Buffer.from(parsed.getPublicPEM().replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  return withColons(createHash("md5").update(der).digest("hex"));
}

function sha256Fingerprint(blob: Buffer): string {
  return createHash("sha256").update(blob).digest("base64");
}

function withColons(hex: string): string {
  return (hex.match(/../g) ?? []).join(":");
}

function keep({ region }: Ec2Call, fields: Omit<KeyPair, "id" | "createdAt">): KeyPair {
  const pair: KeyPair = { ...fields, id: newId("key"), createdAt: new Date().toISOString() };
  region.keyPairs.set(pair.id, pair);
  return pair;
}

function toAnswer({ id, name, fingerprint, tags }: KeyPair): {
  readonly [name: string]: ReturnType<typeof toTagSet>;
} {
  return { keyName: name, keyFingerprint: fingerprint, keyPairId: id, tagSet: toTagSet(tags) };
}

const describeKeyPairs: Ec2Action = ({ params, region }) => {
  const pairs = [...region.keyPairs.values()];
  const names = params.list("KeyName");
  const ids = params.list("KeyPairId");
  const missingName = names.find((name) => !pairs.some((pair) => pair.name === name));
  const missingId = ids.find((id) => !region.keyPairs.has(id));
  if (missingName !== undefined) throw notFound(`The key pair '${missingName}' does not exist`);
  if (missingId !== undefined) throw notFound(`The key pair '${missingId}' does not exist`);
  const named = pairs.filter(
    ({ id, name }) => (names.length === 0 && ids.length === 0) || names.includes(name) || ids.includes(id),
  );
  const table = {
    "key-name": ({ name }: KeyPair) => name,
    "key-pair-id": ({ id }: KeyPair) => id,
    fingerprint: ({ fingerprint }: KeyPair) => fingerprint,
  };
  const withKey = params.flag("IncludePublicKey");
  return {
    keySet: toItems(
      filtered(params, named, table, ({ tags }) => tags).map((pair) => ({
        ...toAnswer(pair),
        keyType: pair.type,
        createTime: pair.createdAt,
        publicKey: withKey ? pair.publicKey : undefined,
      })),
    ),
  };
};

/** Deleting a key pair that is not there succeeds. */
const deleteKeyPair: Ec2Action = (call) => {
  const { params, region } = call;
  const [name, id] = [params.text("KeyName"), params.text("KeyPairId")];
  if (!name && !id)
    throw new AwsFault("MissingParameter", "The request must contain the parameter KeyName or KeyPairId");
  proceed(call);
  const pair = [...region.keyPairs.values()].find((one) => one.id === id || one.name === name);
  if (pair) region.keyPairs.delete(pair.id);
  return { ...done, keyPairId: pair?.id };
};

function notFound(message: string): AwsFault {
  return new AwsFault("InvalidKeyPair.NotFound", message);
}

export const keyPairActions: Readonly<Record<string, Ec2Action>> = {
  ImportKeyPair: importKeyPair,
  CreateKeyPair: createKeyPair,
  DescribeKeyPairs: describeKeyPairs,
  DeleteKeyPair: deleteKeyPair,
};
