/** Waiting for things by name, where the thing may well have happened before anyone waits for it. */
export class Gates {
  readonly #open = new Set<string>();
  readonly #waiting = new Map<string, () => void>();

  wait(name: string): Promise<void> {
    if (this.#open.has(name)) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(name, resolve));
  }

  open(name: string): void {
    this.#open.add(name);
    this.#waiting.get(name)?.();
  }
}
