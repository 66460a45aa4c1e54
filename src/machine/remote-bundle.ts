import { readFile } from "node:fs/promises";
import { partSizeBytes } from "../bundle/manifest.ts";
import type { PackedImage } from "../bundle/pack.ts";
import type { PackedPart } from "../bundle/parts.ts";
import { tarBlockBytes, tarTailBytes, toTarHeader } from "../bundle/tar-header.ts";
import { Problem } from "../problem.ts";
import type { CommandResult } from "./machine.ts";
import { quoteForCurl } from "./quote-for-curl.ts";
import { type Bundled, type Refused, readSaid, type Said, type Wanted } from "./remote-bundle-lines.ts";
import { type HygieneFinding, ImageListener, toImageProblem } from "./root-image-lines.ts";

const program = new URL("../../templates/instance/bundle.sh", import.meta.url);

/** A part, as a machine asks for leave to put it. */
export type RemotePart = { readonly index: number; readonly sha1: string; readonly sizeBytes: number };

export type RemoteBundleOptions = {
  /** Of the tar member. */
  readonly name: string;
  readonly modifiedAt: Date;
  /** The key and IV are its SHA-256. */
  readonly passphrase: string;
  readonly level: number;
  /** On the machine, in memory and private (`survey`). */
  readonly directory: string;
  /** What makes the image, and what it reads on its stdin. */
  readonly image: { readonly command: readonly string[]; readonly stdin: string };
  readonly signal: AbortSignal;
  /** Runs a program for sh as root on the machine, to its end; each line that it says is told once. */
  run(command: RemoteCommand): Promise<Pick<CommandResult, "code" | "signal">>;
  /** Writes a file there that only the owner can read, complete from its first moment on. */
  write(content: string | Uint8Array, path: string, signal: AbortSignal): Promise<void>;
  /** A URL for just this part, and the headers that belong to it. Asked again when S3 did not take the part. */
  sign(
    part: RemotePart,
  ): Promise<{ readonly url: string; readonly headers: Readonly<Record<string, string>> }>;
  log(line: string): void;
  onProgress?(doneBytes: number): void;
};

export type RemoteCommand = {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly stdin: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
};

export type RemoteBundle = { readonly image: PackedImage; readonly findings: readonly HygieneFinding[] };

/** How many lines of the machine's an error may quote. */
const keptLines = 200;

/**
 * Has a machine bundle its root by itself and put the parts into S3; what a manifest says of them comes back. Neither
 * the key nor a URL is ever in an argument there, or on a disk.
 */
export async function bundleRemotely(options: RemoteBundleOptions): Promise<RemoteBundle> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const talk = new Talk(options, signal, (error) => failed.abort(error));
  const outcome = await options.run({
    program: await readFile(program, "utf8"),
    arguments: [options.directory, String(options.level), ...options.image.command],
    stdin: `${options.passphrase}\n${options.image.stdin}`,
    signal,
    onLine: (line) => talk.hear(line),
  });
  if (failed.signal.aborted) throw failed.signal.reason;
  return { image: talk.finish(outcome), findings: talk.findings };
}

class Talk {
  readonly #options: RemoteBundleOptions;
  readonly #signal: AbortSignal;
  readonly #onFailure: (error: unknown) => void;
  readonly #parts = new Map<number, PackedPart>();
  readonly #lines: string[] = [];
  readonly #image: ImageListener;
  #sizeBytes: number | undefined;
  #bundled: Bundled | undefined;
  #failure: string | undefined;
  /** How far the machine's clock is ahead of ours. */
  #aheadSeconds = 0;

  constructor(options: RemoteBundleOptions, signal: AbortSignal, onFailure: (error: unknown) => void) {
    this.#options = options;
    this.#signal = signal;
    this.#onFailure = onFailure;
    this.#image = new ImageListener(options.log, () => undefined);
  }

  get findings(): readonly HygieneFinding[] {
    return this.#image.findings;
  }

  hear(line: string): void {
    this.#react(readSaid(line)).catch((error: unknown) => this.#onFailure(error));
  }

  /** What is noted is noted at once; only answers take time. */
  async #react(said: Said): Promise<void> {
    switch (said.type) {
      case "image":
        this.#sizeBytes = said.sizeBytes;
        return this.#giveEnds(said.sizeBytes);
      case "want":
        return this.#giveUrl(said);
      case "put":
        this.#parts.set(said.index, said);
        return this.#options.onProgress?.(this.#bundledBytes());
      case "refused":
        return this.#weigh(said);
      case "clock":
        this.#aheadSeconds = said.seconds - Math.round(Date.now() / 1000);
        return;
      case "bundled":
        this.#bundled = said;
        return;
      case "failure":
        this.#failure ??= said.text;
        return;
      case "other":
        this.#lines.push(said.line);
        if (this.#lines.length > keptLines) this.#lines.shift();
        this.#image.hear(said.line);
    }
  }

  finish(outcome: Pick<CommandResult, "code" | "signal">): PackedImage {
    if (this.#failure !== undefined) throw this.#toProblem(this.#failure);
    if (outcome.code !== 0)
      throw toImageProblem({ ...outcome, stderr: this.#lines.join("\n") }, this.findings);
    const sizeBytes = this.#sizeBytes ?? 0;
    const parts = [...this.#parts.values()].sort((a, b) => a.index - b.index);
    const tarBytes = tarBlockBytes + sizeBytes + tarTailBytes(sizeBytes);
    const bundled = this.#bundled;
    if (bundled?.tarBytes !== tarBytes || bundled.partCount !== parts.length || parts.length === 0) {
      const seen = `${bundled?.tarBytes ?? 0} of ${tarBytes} bytes, ${parts.length} of ${bundled?.partCount ?? 0} parts`;
      throw new Problem("bundle-invalid", `the bundle that the instance made is not complete: ${seen}`);
    }
    return {
      digest: bundled.tarSha1,
      imageSha256: bundled.imageSha256,
      sizeBytes,
      bundledSizeBytes: this.#bundledBytes(),
      parts,
    };
  }

  async #giveEnds(sizeBytes: number): Promise<void> {
    const { name, modifiedAt } = this.#options;
    await this.#write(new Uint8Array(tarTailBytes(sizeBytes)), "tail");
    // The last, since it is what the machine waits for.
    await this.#write(toTarHeader(name, sizeBytes, modifiedAt), "head");
  }

  async #giveUrl({ index, sha1, sizeBytes, attempt }: Wanted): Promise<void> {
    // Nobody but bundle.sh has a reason to ask, and it never asks for more.
    if (sizeBytes > partSizeBytes || index > this.#parts.size + 1) {
      throw new Problem("bundle-invalid", `the instance asks for part ${index} of ${sizeBytes} bytes`);
    }
    const { url, headers } = await this.#options.sign({ index, sha1, sizeBytes });
    const lines = Object.entries(headers).map(
      ([name, value]) => `header = ${quoteForCurl(`${name}: ${value}`)}`,
    );
    await this.#write(`url = ${quoteForCurl(url)}\n${lines.join("\n")}\n`, `put.${index}.${attempt}`);
  }

  #write(content: string | Uint8Array, name: string): Promise<void> {
    return this.#options.write(content, `${this.#options.directory}/${name}`, this.#signal);
  }

  /** Waiting mends what is late or overloaded; it does not mend what is forbidden. */
  async #weigh({ index, attempt, status, why }: Refused): Promise<void> {
    const told = `S3 did not take part ${index} (${status} ${why})`;
    if ([401, 403, 404].includes(status) && !isLate(why)) {
      throw new Problem(status === 404 ? "upload-failed" : "permission-denied", told, {
        hint: "the parts are put with URLs that the builder signs: its credentials need s3:PutObject and s3:PutObjectAcl",
      });
    }
    if (isLate(why) && attempt >= mostLate) throw this.#toProblem(told);
    this.#options.log(`${told}; asking again after try ${attempt}`);
  }

  #toProblem(failure: string): Problem {
    const skew = Math.abs(this.#aheadSeconds);
    const message = `the instance could not bundle itself: ${failure}`;
    if (skew < skewSeconds) {
      return new Problem("upload-failed", message, { hint: "bundle.at: builder does the same over SSH" });
    }
    const clock = `${toDuration(skew)} ${this.#aheadSeconds > 0 ? "ahead of" : "behind"} the builder's`;
    return new Problem("clock-skewed", `${message}; the instance's clock is ${clock}`, {
      hint: "set both clocks (chronyc makestep): S3 judges URLs by the builder's, curl judges certificates by the instance's",
    });
  }

  #bundledBytes(): number {
    return [...this.#parts.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
}

/** A clock that is off by more may be the cause. */
const skewSeconds = 60;

/** A URL that came too late so often will not come in time. */
const mostLate = 3;

/** What S3 says of a URL that came too late, or of a clock that is wrong. */
function isLate(why: string): boolean {
  return /expired|RequestTimeTooSkewed|not yet valid/i.test(why);
}

function toDuration(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
