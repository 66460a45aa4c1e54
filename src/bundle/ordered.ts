/**
 * Works on several items at once and gives the results in the order of the items. When it ends early, for whatever
 * reason, it first waits for what is in flight, so that nothing goes on behind its back.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  await using flight = new Flight<R>();
  for await (const item of items) {
    flight.add(work(item));
    if (flight.size >= limit) yield await flight.next();
  }
  while (flight.size > 0) yield await flight.next();
}

class Flight<R> implements AsyncDisposable {
  readonly #results: Promise<R>[] = [];

  get size(): number {
    return this.#results.length;
  }

  add(result: Promise<R>): void {
    // Its turn to be awaited may come after it has failed, or never.
    result.catch(() => undefined);
    this.#results.push(result);
  }

  async next(): Promise<R> {
    const [result] = this.#results;
    if (!result) throw new RangeError("nothing is in flight");
    const value = await result;
    void this.#results.shift();
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#results);
  }
}
