import { createHash } from "node:crypto";
import { AwsFault } from "./fault.ts";
import { isSameSignature, type SignatureScope, sha256, toChunkSignature } from "./signature.ts";

/** How the chunks of one body are signed; each signature signs the one before it, the request's being the first. */
export type ChunkSigning = {
  readonly key: Buffer;
  readonly scope: SignatureScope;
  readonly amzDate: string;
  readonly seed: string;
};

/** Headers that came after the body, by lower-case name. */
export type Trailer = Map<string, string>;

const maxLineBytes = 8 * 1024;

/**
 * Takes the aws-chunked encoding off a body (S3 API reference, "Signature calculations: transferring payload in
 * multiple chunks"). Signed chunks are checked when `signing` is given; what came after them is put into `trailer`.
 */
export async function* decodeAwsChunked(
  body: AsyncIterable<Uint8Array>,
  trailer: Trailer,
  signing: ChunkSigning | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new ByteReader(body);
  let previous = signing?.seed ?? "";
  for (;;) {
    const { sizeBytes, signature } = toChunkHead(await reader.line());
    const hash = createHash("sha256");
    for await (const bytes of reader.take(sizeBytes)) {
      hash.update(bytes);
      yield bytes;
    }
    if (signing) {
      checkChunk({ ...signing, previous, hash: hash.digest("hex"), trailer: false }, signature);
      previous = signature;
    }
    if (sizeBytes === 0) break;
    if ((await reader.line()) !== "") throw malformed();
  }
  await readTrailer(reader, trailer, signing, previous);
}

async function readTrailer(
  reader: ByteReader,
  trailer: Trailer,
  signing: ChunkSigning | undefined,
  previous: string,
): Promise<void> {
  let text = "";
  for (let line = await reader.line(); line !== ""; line = await reader.line()) {
    const at = line.indexOf(":");
    if (at < 1) throw malformed();
    const name = line.slice(0, at).trim().toLowerCase();
    const value = line.slice(at + 1).trim();
    trailer.set(name, value);
    if (name !== "x-amz-trailer-signature") text += `${name}:${value}\n`;
  }
  if (!signing || text === "") return;
  checkChunk(
    { ...signing, previous, hash: sha256(text), trailer: true },
    trailer.get("x-amz-trailer-signature") ?? "",
  );
}

function checkChunk(
  { key, ...chunk }: ChunkSigning & { previous: string; hash: string; trailer: boolean },
  signature: string,
): void {
  if (isSameSignature(toChunkSignature(key, chunk), signature)) return;
  throw new AwsFault(
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  );
}

function toChunkHead(line: string): { sizeBytes: number; signature: string } {
  const [size = "", extension = ""] = line.split(";");
  if (!/^[0-9a-fA-F]{1,8}$/.test(size)) throw malformed();
  return {
    sizeBytes: Number.parseInt(size, 16),
    signature: extension.replace(/^chunk-signature=/, ""),
  };
}

function malformed(): AwsFault {
  return new AwsFault("IncompleteBody", "The request body terminated unexpectedly");
}

/** Reads lines and counted bytes from a stream without holding more than a chunk of it. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Up to the next CR LF, which is left out; empty at the end of the stream. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#rest.toString("latin1", 0, end);
        this.#rest = this.#rest.subarray(end + 2);
        return line;
      }
      if (this.#rest.length > maxLineBytes) throw malformed();
      const next = await this.#source.next();
      if (next.done) {
        if (this.#rest.length > 0) throw malformed();
        return "";
      }
      this.#rest = Buffer.concat([this.#rest, next.value]);
    }
  }

  async *take(count: number): AsyncGenerator<Uint8Array, void, undefined> {
    let missing = count;
    while (missing > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) throw malformed();
        this.#rest = Buffer.from(next.value);
      }
      const bytes = this.#rest.subarray(0, missing);
      this.#rest = this.#rest.subarray(bytes.length);
      missing -= bytes.length;
      yield bytes;
    }
  }
}
