const seconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds in a duration such as "90s", "10m" or "1h", whose form the schema has checked. */
export function toSeconds(duration: string): number {
  return Number.parseInt(duration, 10) * (seconds[duration.slice(-1)] ?? Number.NaN);
}

/** MiB in a size such as "512MiB" or "2GiB", whose form the schema has checked. */
export function toMib(size: string): number {
  return Number.parseInt(size, 10) * (size.endsWith("GiB") ? 1024 : 1);
}
