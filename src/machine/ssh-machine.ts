import { setMaxListeners } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "ssh2";

import { Problem } from "../problem.ts";
import { download } from "./download.ts";
import { withPassword } from "./elevate.ts";
import { executeOver } from "./execute-over.ts";
import type { Execution, ExecutionRequest } from "./execution.ts";
import type { Link } from "./link.ts";
import type { LoggedIn } from "./log-in.ts";
import type { CommandOptions, CommandResult, CommandStream, Machine, TransferOptions } from "./machine.ts";
import { runCommand, streamCommand } from "./run-command.ts";
import { upload } from "./upload.ts";
import { write } from "./write.ts";

/** A machine over an SSH connection that has been logged in to. */
export class SshMachine implements Machine {
  readonly hostKey: string;
  readonly lost: AbortSignal;
  readonly sudoPassword: string | null;
  readonly #client: Client;
  readonly #link: Link;
  readonly #closing = new AbortController();
  readonly #active = new Set<Promise<unknown>>();

  constructor({ client, hostKey }: LoggedIn, name: string, sudoPassword: string | null) {
    this.hostKey = hostKey;
    this.#client = client;
    this.lost = watchLoss(client, name);
    this.sudoPassword = sudoPassword;
    this.#link = { client, name, lost: this.lost, sudoPassword };
    setMaxListeners(0, this.#closing.signal);
  }

  run(command: string, options: CommandOptions): Promise<CommandResult> {
    return this.#track(options.signal, (signal) => {
      const told = withPassword(command, options, this.sudoPassword);
      return runCommand(this.#link, told.command, { ...told.options, signal });
    });
  }

  async stream(command: string, options: CommandOptions): Promise<CommandStream> {
    const signal = this.#joined(options.signal);
    const told = withPassword(command, options, this.sudoPassword);
    const stream = await this.#held(streamCommand(this.#link, told.command, { ...told.options, signal }));
    void this.#held(stream.result).catch(() => undefined);
    return stream;
  }

  upload(localPath: string, remotePath: string, options: TransferOptions): Promise<void> {
    return this.#track(options.signal, (signal) =>
      upload(this.#link, localPath, remotePath, { ...options, signal }),
    );
  }

  write(
    content: string | Uint8Array,
    remotePath: string,
    options: { mode: number; signal: AbortSignal },
  ): Promise<void> {
    return this.#track(options.signal, (signal) =>
      write(this.#link, content, remotePath, { ...options, signal }),
    );
  }

  download(remotePath: string, localPath: string, options: TransferOptions): Promise<void> {
    return this.#track(options.signal, (signal) =>
      download(this.#link, remotePath, localPath, { ...options, signal }),
    );
  }

  execute(request: ExecutionRequest): Promise<Execution> {
    return executeOver(this.#link, request, (ending) => void this.#held(ending));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Problem("connect-failed", `the connection to ${this.#link.name} was closed`));
    await Promise.allSettled(this.#active);
    if (this.#link.lost.aborted) return;
    const closed = new Promise<void>((resolve) => this.#client.once("close", () => resolve()));
    this.#client.end();
    await Promise.race([closed, sleep(1000)]);
    this.#client.destroy();
  }

  #track<T>(signal: AbortSignal, start: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#held(start(this.#joined(signal)));
  }

  #joined(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  #held<T>(work: Promise<T>): Promise<T> {
    const held = work.finally(() => this.#active.delete(held));
    this.#active.add(held);
    return held;
  }
}

function watchLoss(client: Client, name: string): AbortSignal {
  const lost = new AbortController();
  setMaxListeners(0, lost.signal);
  const lose = (why: string, cause?: unknown): void => {
    // The first reason is the one that says something; the close that follows it is not.
    if (lost.signal.aborted) return;
    const hint = "the machine may have stopped or rebooted, or the network between here and there failed";
    lost.abort(new Problem("connect-failed", `the connection to ${name} was lost: ${why}`, { hint, cause }));
  };
  client.on("error", (error) => lose(error.message, error));
  client.on("close", () => lose("it was closed from the other side"));
  return lost.signal;
}
