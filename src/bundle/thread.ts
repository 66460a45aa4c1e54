import { Worker } from "node:worker_threads";

/** It makes few objects and keeps none, MiB. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 16 };

/**
 * A thread that answers questions in their order. Its program is text because a worker wants a file of JavaScript, which
 * neither the sources have nor a bundler would know of: a module that sets `answer`, a function of a question, and has
 * `data` to go by.
 */
export class Thread<Answer = string> implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #waiting: Waiting<Answer>[] = [];
  #failure: Error | undefined;

  constructor(program: string, data: unknown) {
    const module = new URL(`data:text/javascript,${encodeURIComponent(`${prologue}${program}${epilogue}`)}`);
    this.#worker = new Worker(module, { workerData: data, execArgv: [], resourceLimits });
    this.#worker.on("message", (answer: Answer) => this.#waiting.shift()?.resolve(answer));
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the thread has ended")));
  }

  /** The question and the answer are plain data. */
  ask(question: unknown): Promise<Answer> {
    const answer = new Promise<Answer>((resolve, reject) => {
      if (this.#failure) reject(this.#failure);
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(question);
    });
    // Its turn to be awaited may come after the thread has been ended, or never.
    answer.catch(() => undefined);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

type Waiting<Answer> = {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
};

const prologue = `
  import { createCipheriv, createHash } from "node:crypto";
  import { parentPort, workerData as data } from "node:worker_threads";
  import { crc32 } from "node:zlib";
  let answer;
`;

const epilogue = `
  parentPort.on("message", (question) => parentPort.postMessage(answer(question)));
`;
