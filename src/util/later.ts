const dayMs = 24 * 60 * 60 * 1000;

/**
 * What `180d` (days from now), `2027-06-30` or `2027-06-30T12:00:00Z` (UTC) stands for; `undefined` for a day or an hour
 * that there is not, such as the 31st of June.
 */
export function toLater(written: string, now: Date): Date | undefined {
  const days = /^(\d+)d$/.exec(written)?.[1];
  if (days !== undefined) return new Date(now.getTime() + Number(days) * dayMs);
  const time = new Date(written);
  // JavaScript takes the 31st of June for the first of July.
  const isReal = !Number.isNaN(time.getTime()) && time.toISOString().startsWith(written.slice(0, 10));
  return isReal ? time : undefined;
}
