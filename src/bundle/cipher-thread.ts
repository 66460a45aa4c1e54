import type { BundleKey } from "./key.ts";
import { Thread } from "./thread.ts";

const cipherBlockBytes = 16;

/** Encrypts a stream by AES-128-CBC, piece by piece and each in place, in a thread of its own. */
export class CipherThread implements AsyncDisposable {
  readonly #thread: Thread;

  constructor(key: BundleKey, memory: SharedArrayBuffer) {
    this.#thread = new Thread(program, { key: key.keyBytes(), iv: key.ivBytes(), memory });
  }

  /**
   * Puts the cipher text of the first `length` bytes into the same piece of the memory, and gives how long it is and its
   * SHA-1 in hex. Of all but the last, the length is a multiple of 16; the last becomes longer by its padding.
   */
  async encrypt(
    { byteOffset }: Buffer<SharedArrayBuffer>,
    length: number,
    isLast: boolean,
  ): Promise<{ readonly length: number; readonly sha1: string }> {
    const sha1 = await this.#thread.ask({ at: byteOffset, length, isLast });
    return { length: isLast ? length - (length % cipherBlockBytes) + cipherBlockBytes : length, sha1 };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

/** Bite by bite, because what the cipher returns is only freed when there are thousands of them: larger ones take more memory. */
const program = `
  const cipher = createCipheriv("aes-128-cbc", data.key, data.iv);
  const bite = 4 * 1024;
  answer = ({ at, length, isLast }) => {
    const bytes = new Uint8Array(data.memory, at);
    const hash = createHash("sha1");
    let done = 0;
    const put = (cipherText) => {
      hash.update(cipherText);
      bytes.set(cipherText, done);
      done += cipherText.length;
    };
    for (let from = 0; from < length; from += bite) {
      put(cipher.update(bytes.subarray(from, Math.min(length, from + bite))));
    }
    if (isLast) put(cipher.final());
    return hash.digest("hex");
  };
`;
