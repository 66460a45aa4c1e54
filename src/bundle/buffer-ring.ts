/**
 * Some memory as buffers of one size, used over and over: however long a stream is, it takes no more. Whoever takes a
 * buffer must be done with the one that was taken as many before as there are.
 */
export class BufferRing {
  readonly memory: SharedArrayBuffer;
  readonly #sizeBytes: number;
  #next = 0;

  /** The memory's length is a multiple of the size. */
  constructor(memory: SharedArrayBuffer, sizeBytes: number) {
    this.memory = memory;
    this.#sizeBytes = sizeBytes;
  }

  take(): Buffer<SharedArrayBuffer> {
    const at = this.#next;
    this.#next = (at + this.#sizeBytes) % this.memory.byteLength;
    return Buffer.from(this.memory, at, this.#sizeBytes);
  }
}
