const secondsPer: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** Go's `1h30m` as `90m`; less than a second is one. `undefined` for what is no duration, or none at all. */
export function toDuration(text: string): string | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, amount = "0", unit = "s"] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    seconds += Number(amount) * (secondsPer[unit] ?? 0);
  if (seconds === 0) return undefined;
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole % 3600 === 0) return `${whole / 3600}h`;
  return whole % 60 === 0 ? `${whole / 60}m` : `${whole}s`;
}
