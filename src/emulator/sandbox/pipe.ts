import { execFile } from "node:child_process";
import { closeSync, constants, openSync, rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

/** One end for us, as a stream, and one to hand to a program, as a descriptor that the caller closes after that. */
export type Pipe = { readonly ours: Socket; readonly theirs: number };

/**
 * Real pipes for programs in an instance. What Node's spawn makes are sockets, and `echo … >/dev/stderr`,
 * which sshd's clients may count on, fails on a socket with ENXIO.
 */
export class Pipes {
  readonly #directory: string;
  #ready: string[] = [];
  #count = 0;
  #refill: Promise<void> | undefined;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async open(parent: string): Promise<Pipes> {
    return new Pipes(await mkdtemp(join(parent, "pipes-")));
  }

  /** From us to a program. */
  async toProgram(): Promise<Pipe> {
    const path = await this.#take();
    // The order keeps every open from blocking: a reader first, for the writer's sake (fifo(7)).
    const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const ours = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const theirs = openSync(path, constants.O_RDONLY);
    closeSync(first);
    rmSync(path);
    return { ours: new Socket({ fd: ours, readable: false, writable: true }), theirs };
  }

  /** From a program to us. */
  async fromProgram(): Promise<Pipe> {
    const path = await this.#take();
    const ours = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const theirs = openSync(path, constants.O_WRONLY);
    rmSync(path);
    return { ours: new Socket({ fd: ours, readable: true, writable: false }), theirs };
  }

  async close(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #take(): Promise<string> {
    for (;;) {
      const path = this.#ready.pop();
      if (path !== undefined) return path;
      this.#refill ??= this.#make().finally(() => {
        this.#refill = undefined;
      });
      await this.#refill;
    }
  }

  async #make(): Promise<void> {
    const paths = Array.from({ length: 48 }, () => join(this.#directory, String(this.#count++)));
    // The folder is ours alone, and each is unlinked when opened; inside, anybody may reopen their own stream.
    await promisify(execFile)("mkfifo", ["-m", "666", ...paths]);
    this.#ready.push(...paths);
  }
}
