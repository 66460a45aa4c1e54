import { createHash, randomBytes } from "node:crypto";

/**
 * The AES-128 key and IV of one bundle. A class with private fields, so that neither JSON, a log nor the type of a
 * task's output can carry it by accident.
 */
export class BundleKey {
  readonly #key: string;
  readonly #iv: string;

  /** Each 32 lower-case hex digits: the form in which RSA wraps them. */
  constructor(key: string, iv: string) {
    if (!isKeyText(key) || !isKeyText(iv))
      throw new TypeError("key and iv are 32 lower-case hex digits each");
    this.#key = key;
    this.#iv = iv;
  }

  keyHex(): string {
    return this.#key;
  }

  ivHex(): string {
    return this.#iv;
  }

  keyBytes(): Uint8Array {
    return Buffer.from(this.#key, "hex");
  }

  ivBytes(): Uint8Array {
    return Buffer.from(this.#iv, "hex");
  }
}

/** A fresh key from the system's random source. */
export function newBundleKey(): BundleKey {
  return new BundleKey(randomBytes(16).toString("hex"), randomBytes(16).toString("hex"));
}

/** Of as many bits as SHA-256 has; letters and digits. */
export function newPassphrase(): string {
  return randomBytes(32).toString("hex");
}

/** The key and IV that `openssl enc -aes-128-cbc -nosalt -md sha256` derives: the halves of the passphrase's SHA-256. */
export function toBundleKey(passphrase: string): BundleKey {
  const hex = createHash("sha256").update(passphrase).digest("hex");
  return new BundleKey(hex.slice(0, 32), hex.slice(32));
}

/** Whether this is the text of a key or an IV. */
export function isKeyText(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}
