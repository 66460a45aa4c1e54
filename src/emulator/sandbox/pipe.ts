import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, fchmodSync, openSync } from "node:fs";
import { Socket } from "node:net";

/** One end for us, as a stream, and one to hand to a program, as a descriptor that the caller closes after that. */
export type Pipe = { readonly ours: Socket; readonly theirs: number };

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** A POSIX shell names no descriptor above 9, and this leaves one for its orders. */
const descriptors = [3, 4, 5, 6, 7, 8];

/**
 * A shell is the one program everywhere that makes pipes: this one holds the reading ends of as many as there are
 * descriptors, tells its id, and goes when its input ends.
 */
const makePipes = descriptors.reduceRight(
  (inner, descriptor) => `: | { exec ${descriptor}<&0; ${inner}; }`,
  "read -r id _ </proc/self/stat; echo $id; read -r _ <&9",
);

/**
 * Real pipes for programs in an instance. What Node's spawn makes are sockets, and `echo … >/dev/stderr`,
 * which scripts over sshd may count on, fails on a socket with ENXIO. Named pipes would not do either:
 * /dev/stdin then waits forever for a writer when the input has ended already.
 */
export class Pipes {
  #ready: number[] = [];
  #refill: Promise<void> | undefined;
  #closed = false;

  /** From us to a program. */
  async toProgram(): Promise<Pipe> {
    const pipe = await this.#take();
    const ours = openSync(pipe.path, O_WRONLY | O_NONBLOCK);
    const theirs = openSync(pipe.path, O_RDONLY);
    closeSync(pipe.descriptor);
    return { ours: new Socket({ fd: ours, readable: false, writable: true }), theirs };
  }

  /** From a program to us. */
  async fromProgram(): Promise<Pipe> {
    const pipe = await this.#take();
    const ours = openSync(pipe.path, O_RDONLY | O_NONBLOCK);
    const theirs = openSync(pipe.path, O_WRONLY);
    closeSync(pipe.descriptor);
    return { ours: new Socket({ fd: ours, readable: true, writable: false }), theirs };
  }

  /** Gives back the pipes that were never used. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#refill?.catch(() => undefined);
    for (const descriptor of this.#ready.splice(0)) closeSync(descriptor);
  }

  async #take(): Promise<{ readonly descriptor: number; readonly path: string }> {
    for (;;) {
      const descriptor = this.#ready.pop();
      // Making some takes longer than all else before a command runs: the next should not have to wait.
      if (this.#ready.length < descriptors.length && !this.#closed) this.#startRefill();
      // Opening it by this name once more, each end gets a state of its own: only ours must not block.
      if (descriptor !== undefined) return { descriptor, path: `/proc/self/fd/${descriptor}` };
      await this.#refill;
    }
  }

  #startRefill(): void {
    if (this.#refill !== undefined) return;
    this.#refill = this.#make().finally(() => {
      this.#refill = undefined;
    });
    // Whoever needs a pipe hears of a failure; when nobody does it is none.
    this.#refill.catch(() => undefined);
  }

  async #make(): Promise<void> {
    const shell = spawn("/bin/sh", ["-c", `exec 9<&0; ${makePipes}`], { stdio: ["pipe", "pipe", "ignore"] });
    shell.stdin.on("error", () => undefined);
    const gone = once(shell, "close");
    const [told] = (await Promise.race([once(shell.stdout, "data"), gone])) as [unknown];
    if (!(told instanceof Buffer)) throw new Error("a shell that should make pipes made none");
    for (const number of descriptors) {
      const descriptor = openSync(`/proc/${Number(told)}/fd/${number}`, O_RDONLY | O_NONBLOCK);
      // Nobody else can name it, and whoever has it in an instance may reopen it there.
      fchmodSync(descriptor, 0o666);
      this.#ready.push(descriptor);
    }
    shell.stdin.end();
    await gone;
  }
}
