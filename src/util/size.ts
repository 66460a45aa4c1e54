const units = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A count of bytes for people, with three significant digits: `7.42 MiB`. */
export function toSize(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  const text = power === 0 || value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return `${text} ${units[power]}`;
}
