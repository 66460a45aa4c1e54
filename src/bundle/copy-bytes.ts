/**
 * Copies all of `from`, which is not empty. `set` would do it byte by byte when one is in shared memory and they are not
 * aligned alike: 0.7 s per GiB instead of 0.06.
 */
export function copyBytes(from: Uint8Array, to: Buffer, at: number): void {
  to.fill(from, at, at + from.length);
}
