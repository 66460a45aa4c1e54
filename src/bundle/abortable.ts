/**
 * The same chunks, until the signal is aborted: then it throws the reason at once, even while the source is silent.
 */
export async function* abortable<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted();
  using waiting = new Waiting(source[Symbol.asyncIterator](), signal);
  for (;;) {
    const next = await waiting.next();
    if (next.done) return;
    yield next.value;
  }
}

/** One listener for many waits: racing each of them with one long-lived promise would pile up reactions on it. */
class Waiting<T> implements Disposable {
  readonly #iterator: AsyncIterator<T>;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#reject(this.#signal.reason);
  #reject: (reason: unknown) => void = () => undefined;
  #ended = false;

  constructor(iterator: AsyncIterator<T>, signal: AbortSignal) {
    this.#iterator = iterator;
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  async next(): Promise<IteratorResult<T>> {
    const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
      this.#reject = reject;
      if (this.#signal.aborted) reject(this.#signal.reason);
      else this.#iterator.next().then(resolve, reject);
    });
    this.#ended = result.done === true;
    return result;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#onAbort);
    if (this.#ended) return;
    // Not awaited: a silent source may never answer.
    this.#iterator.return?.().then(undefined, () => undefined);
  }
}
