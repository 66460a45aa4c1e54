const keptBytes = 64 * 1024;

/** Keeps the last 64 KiB of what it is given. */
export class Tail {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    // Joining at every chunk would copy the tail once for each; doubling keeps it to once for every 64 KiB.
    if (this.#bytes > 2 * keptBytes) this.#join();
  }

  /** As UTF-8 text; a character that the cut has split is left out. */
  text(): string {
    this.#join();
    const bytes = this.#chunks[0] ?? new Uint8Array();
    let start = 0;
    if (bytes.length === keptBytes) while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(start));
  }

  #join(): void {
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [Buffer.from(joined.subarray(Math.max(0, joined.length - keptBytes)))];
    this.#bytes = this.#chunks[0]?.length ?? 0;
  }
}
