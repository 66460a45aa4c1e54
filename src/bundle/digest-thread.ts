import { Thread } from "./thread.ts";

/**
 * A digest that is computed in a thread of its own: neither Node's pool nor its Web Crypto can digest a stream, and
 * on the main thread each digest would cost 0.7 s per GiB.
 */
export class DigestThread implements AsyncDisposable {
  readonly #thread: Thread;

  /** Of bytes in this memory, which the thread reads where they are. */
  constructor(algorithm: "sha1" | "sha256", memory: SharedArrayBuffer) {
    this.#thread = new Thread(program, { algorithm, memory });
  }

  /** Resolves when these bytes of the memory have been read. */
  async update(bytes: Buffer<SharedArrayBuffer>): Promise<void> {
    await this.#thread.ask({ at: bytes.byteOffset, length: bytes.length });
  }

  /** As many zero bytes, which need not be in the memory. */
  async updateZeros(length: number): Promise<void> {
    await this.#thread.ask({ at: null, length });
  }

  /** Hex. */
  hex(): Promise<string> {
    return this.#thread.ask(null);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

const program = `
  const hash = createHash(data.algorithm);
  const zeros = new Uint8Array(64 * 1024);
  answer = (question) => {
    if (question === null) return hash.digest("hex");
    const { at, length } = question;
    if (at !== null) hash.update(new Uint8Array(data.memory, at, length));
    else for (let left = length; left > 0; left -= zeros.length) hash.update(zeros.subarray(0, left));
    return "";
  };
`;
