import { readFileSync } from "node:fs";
import { BufferRing } from "./buffer-ring.ts";
import { Thread } from "./thread.ts";

/** What is deflated at once, bytes: the most that libdeflate/glue.c has memory for. */
export const blockBytes: number = 512 * 1024;

/** A block in memory that other threads may read. */
export type Block = Buffer<SharedArrayBuffer>;

/** What became of a block. */
export type Deflated = {
  /** A piece of a deflate stream, but not its last. */
  readonly bytes: Buffer;
  /** CRC-32 of the block. */
  readonly crc: number;
};

/** So much larger can a block become (libdeflate/glue.c). */
const growthBytes = 1024;

/** How to deflate. */
export type DeflateOptions = {
  /** 1 to 9. */
  readonly level: number;
  /** Where the blocks are; the threads read them there. */
  readonly memory: SharedArrayBuffer;
  /** How many blocks are asked for before the first of them is taken. */
  readonly inFlight: number;
  /** At most. */
  readonly threads: number;
};

/**
 * Deflates blocks side by side, by libdeflate (libdeflate/README.md) in as many threads as there is work for: a small
 * image starts but one or two.
 */
export class DeflateThreads implements AsyncDisposable {
  readonly #options: DeflateOptions;
  readonly #deflated: BufferRing;
  readonly #threads: DeflateThread[] = [];

  constructor(options: DeflateOptions) {
    const slotBytes = blockBytes + growthBytes;
    this.#options = options;
    this.#deflated = new BufferRing(new SharedArrayBuffer(options.inFlight * slotBytes), slotBytes);
  }

  /**
   * What comes out may refer to the bytes before, at most 32 KiB of the same memory. It is valid until as many blocks as
   * are in flight have been asked for after it.
   */
  deflate(block: Block, before: Block): Promise<Deflated> {
    return this.#idlest().deflate(block, before, this.#deflated.take());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread[Symbol.asyncDispose]()));
  }

  #idlest(): DeflateThread {
    const [idlest] = this.#threads.toSorted((one, other) => one.waiting - other.waiting);
    if (idlest && (idlest.waiting === 0 || this.#threads.length === this.#options.threads)) return idlest;
    const { level, memory } = this.#options;
    const thread = new DeflateThread({ level, memory, deflated: this.#deflated.memory });
    this.#threads.push(thread);
    return thread;
  }
}

type ThreadData = Pick<DeflateOptions, "level" | "memory"> & { readonly deflated: SharedArrayBuffer };

type Answer = { readonly length: number; readonly crc: number };

class DeflateThread implements AsyncDisposable {
  readonly #thread: Thread<Answer>;
  /** How many blocks it has not deflated yet. */
  waiting = 0;

  constructor(data: ThreadData) {
    // V8 compiles the same bytes once for all threads of a process.
    const wasm = readFileSync(new URL("./libdeflate/deflate.wasm", import.meta.url));
    this.#thread = new Thread(program, { ...data, wasm });
  }

  async deflate(block: Block, before: Block, into: Block): Promise<Deflated> {
    this.waiting += 1;
    const { length, crc } = await this.#thread.ask({
      block: placeOf(block),
      before: placeOf(before),
      into: into.byteOffset,
    });
    this.waiting -= 1;
    return { bytes: into.subarray(0, length), crc };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread[Symbol.asyncDispose]();
  }
}

function placeOf({ byteOffset, length }: Block): { readonly at: number; readonly length: number } {
  return { at: byteOffset, length };
}

const program = `
  const { start, input, output, deflate, memory } = new WebAssembly.Instance(new WebAssembly.Module(data.wasm)).exports;
  if (!start(data.level)) throw new Error("there is no memory to deflate in");
  const own = new Uint8Array(memory.buffer);
  const deflated = new Uint8Array(data.deflated);
  answer = ({ block, before, into }) => {
    const bytes = new Uint8Array(data.memory, block.at, block.length);
    own.set(new Uint8Array(data.memory, before.at, before.length), input());
    own.set(bytes, input() + before.length);
    const length = deflate(before.length, block.length);
    if (length === 0) throw new Error("a block did not fit when it was deflated");
    deflated.set(own.subarray(output(), output() + length), into);
    return { length, crc: crc32(bytes) };
  };
`;
