/** The promise's outcome, or the signal's reason if that comes first: for waiting on what may be deaf to a signal. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  // A signal of our own: many waiters on one signal would look like a leak of listeners.
  const own = AbortSignal.any([signal]);
  const aborted = new Promise<never>((_resolve, reject) => {
    if (own.aborted) reject(own.reason);
    else own.addEventListener("abort", () => reject(own.reason), { once: true });
  });
  return Promise.race([promise, aborted]);
}
